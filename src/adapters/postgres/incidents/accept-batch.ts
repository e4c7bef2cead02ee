// More than this in one statement gains nothing.
const mostAtOnce = 100;

interface Waiting<Item> {
  readonly item: Item;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Writes items that come while a write is under way together with the next one: under load one commit serves many, and
 * each caller still hears only after its own item is durable.
 */
export function batched<Item>(write: (items: readonly Item[]) => Promise<void>): (item: Item) => Promise<void> {
  const waiting: Waiting<Item>[] = [];
  let writing = false;
  const flush = async () => {
    writing = true;
    while (waiting.length > 0) {
      const now = waiting.splice(0, mostAtOnce);
      await write(now.map(({ item }) => item)).then(
        () => now.forEach(({ done }) => done()),
        (error: unknown) => now.forEach(({ failed }) => failed(error)),
      );
    }
    writing = false;
  };
  return (item) =>
    new Promise((done, failed) => {
      waiting.push({ item, done, failed });
      if (!writing) void flush();
    });
}
