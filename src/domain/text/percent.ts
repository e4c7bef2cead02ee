/** A share of 0 to 1 in whole percent: `79 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
