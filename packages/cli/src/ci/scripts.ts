/**
 * The shell lines of CI steps, the same for all systems. POSIX sh, but for what `pipefail` adds where a system has bash.
 *
 * Values that others choose (branch names, titles) come in by environment variables alone, never as text of a script.
 */
import { EVENTS, REPORT } from './model.ts';

/** How the command is called: with the rights that BuildKit needs. */
export type Call = (words: string) => string;

/** Writes the login where docker, podman and stx-make look for one. The password is on no command line. */
export function loginLines(folder: string): string[] {
  return [
    `mkdir -p -m 700 "${folder}"`,
    'login=$(printf \'%s:%s\' "$REGISTRY_USER" "$REGISTRY_TOKEN" | base64 | tr -d \'\\n\')',
    `(umask 077; printf '{"auths":{"%s":{"auth":"%s"}}}\\n' "\${REMOTE%%/*}" "$login" >"${folder}/config.json")`,
  ];
}

export interface BuildScript {
  readonly call: Call;
  readonly time: string;
  /** In which words the system takes what is to be seen beside a job's log; null where the exit code says it. */
  readonly notice: ((text: string) => string) | null;
  /** Afterwards, whatever came of it. */
  readonly after: readonly string[];
}

/** One shard's part of the night. */
export function shardLines(script: BuildScript, shard: string): string[] {
  const { call, time, notice, after } = script;
  const words = `world --keep-going --shard ${shard} --session "$SESSION" --remote "$REMOTE" --remote-write --for ${time} --events ${EVENTS}`;
  return untilTime(call(words), notice, after);
}

/** What a pull request affects: told, then built. Not done in time is not shown to be good: that fails, too. */
export function affectedLines(script: BuildScript, summary: string): string[] {
  const { call, time, after } = script;
  return [
    `${call('affected --since "$BASE" --markdown')} >affected.md`,
    `cat affected.md${summary}`,
    `${call('affected --since "$BASE" --json')} >affected.json`,
    'node -p \'require("./affected.json").affected.join("\\n")\' >affected.txt',
    'code=0',
    `${call(`build @affected.txt --keep-going --remote "$REMOTE" --for ${time} --events ${EVENTS}`)} || code=$?`,
    ...after,
    'exit "$code"',
  ];
}

/** Runs it; that its time was up is no failure of the job. */
function untilTime(line: string, notice: BuildScript['notice'], after: readonly string[]): string[] {
  return [
    'code=0',
    `${line} || code=$?`,
    ...after,
    ...(notice === null
      ? []
      : [
          '# The time was up: what is done is kept, the next night goes on with the rest.',
          `if [ "$code" -eq 130 ]; then ${notice('The time was up; the next night goes on.')}; code=0; fi`,
        ]),
    'exit "$code"',
  ];
}

/** Makes one run of what the shards left, keeps how long everything took. Fails where something failed or is missing. */
export function collectLines(
  { call, notice }: Pick<BuildScript, 'call' | 'notice'>,
  shards: number,
  more = '',
): string[] {
  const words = `collect --session "$SESSION" --shards ${shards} --remote "$REMOTE" --remote-write --report ${REPORT} --events ${EVENTS}${more}`;
  return untilTime(call(words), notice, []);
}
