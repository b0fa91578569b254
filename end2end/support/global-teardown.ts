import { stop } from "./stack.ts";

export default async function globalTeardown() {
  await stop();
}
