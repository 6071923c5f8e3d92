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
    'umask 077',
    `mkdir -p "${folder}"`,
    'login=$(printf \'%s:%s\' "$REGISTRY_USER" "$REGISTRY_TOKEN" | base64 | tr -d \'\\n\')',
    `printf '{"auths":{"%s":{"auth":"%s"}}}\\n' "\${REMOTE%%/*}" "$login" >"${folder}/config.json"`,
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
  return untilTime(
    script,
    `world --keep-going --shard ${shard} --session "$SESSION" --remote "$REMOTE" --remote-write --for ${script.time} --events ${EVENTS}`,
  );
}

/** What a pull request affects: told, then built. */
export function affectedLines(script: BuildScript, summary: string): string[] {
  const { call } = script;
  return [
    `${call('affected --since "$BASE" --markdown')} >affected.md`,
    `cat affected.md${summary}`,
    `${call('affected --since "$BASE" --json')} >affected.json`,
    'node -p \'require("./affected.json").affected.join("\\n")\' >affected.txt',
    ...untilTime(
      script,
      `build @affected.txt --keep-going --remote "$REMOTE" --for ${script.time} --events ${EVENTS}`,
    ),
  ];
}

/** Runs it; that its time was up is no failure of the job. */
function untilTime({ call, notice, after }: BuildScript, words: string): string[] {
  return [
    'code=0',
    `${call(words)} || code=$?`,
    ...after,
    ...(notice === null
      ? []
      : [
          '# Its time was up: what is done is kept, the next run goes on with the rest.',
          `if [ "$code" -eq 130 ]; then ${notice('The time was up; the next run goes on.')}; code=0; fi`,
        ]),
    'exit "$code"',
  ];
}

/** Makes one run of what the shards left, keeps how long everything took. Exit 1 where something failed or is missing. */
export function collectLines(call: Call, shards: number, more: string): string[] {
  return [
    call(
      `collect --session "$SESSION" --shards ${shards} --remote "$REMOTE" --remote-write --report ${REPORT} --events ${EVENTS}${more}`,
    ),
  ];
}
