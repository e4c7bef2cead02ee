import { Unavailable } from "../../ports/errors.ts";
import type { WithTimeout } from "../../ports/runtime.ts";

/** Gives up waiting after a while: see the port. */
export const withTimeout: WithTimeout = async (milliseconds, work) => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    const because = `no answer within ${Math.round(milliseconds / 1000)} s`;
    timer = setTimeout(() => fail(new Unavailable(because)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};
