/** A model file as it may be loaded. */
export type PreparedGraph = {
  /** The file to load and to store: the one that was given, or the repaired one. */
  readonly path: string;
  /** What was changed, a sentence each; empty where `path` is the file that was given. */
  readonly repairs: readonly string[];
  /** What it is, for people: opset, operators, nodes, parameters. */
  readonly summary: string;
  /** Removes what was written; harmless where nothing was. */
  discard(): Promise<void>;
};

/** Reads the graph of a model file without running it. */
export interface Graphs {
  /**
   * Mends what is known to keep a sound model from being served: a ZipMap at the end is cut off, a StringNormalizer gets a
   * locale that exists everywhere. Throws `model-invalid` for what is no model (empty, truncated, a Git LFS pointer),
   * `model-external-data` for weights outside the file, `model-output-unsupported` for an output that is no tensor and
   * cannot be cut.
   */
  prepare(modelPath: string): Promise<PreparedGraph>;
}
