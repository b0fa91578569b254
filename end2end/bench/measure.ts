/** Figures and how they are printed. */
import { readFileSync } from "node:fs";

export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (values: number[]) => percentile(values, 0.5);

/** One line of the result: what, how much, and what is wanted. */
export function figure(what: string, found: string, wanted = ""): void {
  console.log(`  ${what.padEnd(58)} ${found.padStart(22)}   ${wanted}`);
}

/** Resident memory of a process, in MB (10^6 bytes). */
export function residentMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (!kib) throw new Error(`process ${pid} has no resident memory`);
  return (Number(kib) * 1024) / 1e6;
}
