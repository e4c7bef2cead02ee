import { Unavailable } from "../../ports/errors.ts";
import type { WithTimeout } from "../../ports/runtime.ts";

/** Gives up waiting after a while: see the port. */
export const withTimeout: WithTimeout = async (milliseconds, work, asked) => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    const because = `no answer within ${Math.round(milliseconds / 1000)} s`;
    const error = () => new Unavailable(asked === undefined ? because : `${asked}: ${because}`);
    timer = setTimeout(() => fail(error()), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};
