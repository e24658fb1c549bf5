/** What is used of the library's unigram model. */
export type UnigramModel = {
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token: string;
  readonly unk_token_id: number;
  tokenize(word: string): readonly string[];
};

/**
 * The pieces of words as the library makes them, unknown ones in a row being one. The library joins them letter by letter and looks
 * each of these up, which takes half a second for a text of 16,000 unknown letters.
 */
export function splitByUnigram(model: UnigramModel): (words: string[]) => string[] {
  const { tokens_to_ids: ids, unk_token: unknown, unk_token_id: unknownId } = model;
  return (words) => {
    const pieces: string[] = [];
    let afterUnknown = false;
    for (const word of words) {
      for (const piece of model.tokenize(word)) {
        const isUnknown = (ids.get(piece) ?? unknownId) === unknownId;
        if (!isUnknown) pieces.push(piece);
        else if (!afterUnknown) pieces.push(unknown);
        afterUnknown = isUnknown;
      }
    }
    return pieces;
  };
}
