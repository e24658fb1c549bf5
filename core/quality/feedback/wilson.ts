/** 97.5 % of the standard normal distribution lie below it. */
const Z = 1.959963984540054;

/**
 * Between which shares the true one is, at 95 %, where `successes` of `count` were seen; undefined of nothing. E. B. Wilson, "Probable inference, the law of
 * succession, and statistical inference", Journal of the American Statistical Association 22, 1927: honest of few, and never beyond 0 and 1.
 */
export function wilsonInterval(successes: number, count: number): readonly [low: number, high: number] | undefined {
  if (count === 0) return undefined;
  const share = successes / count;
  const square = Z ** 2 / count;
  const middle = (share + square / 2) / (1 + square);
  const half = (Z * Math.sqrt((share * (1 - share)) / count + square / (4 * count))) / (1 + square);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
