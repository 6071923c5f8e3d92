/** Files for the oracle: build stages, what they name, what is reached. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Containerfiles write variables like that.
import type { Question } from './oracle.ts';

export const STAGES: Readonly<Record<string, string | Question>> = {
  'FROM an image': 'FROM stagex/a\n',
  'FROM scratch is nothing': 'FROM scratch\n',
  'FROM Scratch is an image': 'FROM Scratch\n',
  'FROM with a digest': `FROM stagex/a@sha256:${'a'.repeat(63)}\n`,
  'FROM two words': 'FROM scratch x\n',
  'FROM as without a name': 'FROM scratch AS\n',
  'FROM with is': 'FROM scratch IS x\n',
  'stage names, any case':
    'FROM scratch AS BuiLD\nCOPY --from=stagex/a / /\nFROM scratch\nCOPY --from=bUILD / /\n',
  'stage name that is a number': 'FROM scratch AS 1st\n',
  'stage name with symbols': 'FROM scratch AS a@b\n',
  'stage name that is no image name': 'FROM scratch AS a-\n',
  'stage name with points': 'FROM scratch AS a.b-c_d\n',
  'FROM an earlier stage': 'FROM stagex/a AS base\nFROM base\nCOPY x /\n',
  'FROM an earlier stage in other case is an image': 'FROM stagex/a AS base\nFROM Base\n',
  'FROM a later stage is an image': 'FROM other\nFROM stagex/a AS other1\n',
  'two stages of one name': 'FROM stagex/a AS x1\nFROM stagex/b AS x1\nFROM scratch\nCOPY --from=x1 / /\n',
  'two stages of one name, FROM between':
    'FROM stagex/a AS x1\nFROM x1 AS y1\nFROM stagex/b AS x1\nFROM y1\n',
  'short names of one image':
    'FROM docker.io/stagex/a:latest\nCOPY --from=index.docker.io/stagex/b / /\nCOPY --from=stagex/c:latest / /\n',
  'tags and registries':
    'FROM stagex/d:1.0\nCOPY --from=quay.io/x/y:2 / /\nCOPY --from=localhost:5000/z / /\n',
  'library images': 'FROM docker.io/library/alpine\nCOPY --from=docker.io/alpine / /\n',
  'upper case in an image name': 'FROM stagex/A\n',
  'bad image name in a stage nobody needs': 'FROM stagex/A AS x1\nFROM scratch\n',
  'bad image name in a COPY nobody needs': 'FROM scratch AS x1\nCOPY --from=stagex/A / /\nFROM scratch\n',
  'image nobody needs': 'FROM stagex/a AS x1\nCOPY --from=stagex/b / /\nFROM stagex/c\n',
  'unused stage with a failing variable': 'FROM scratch AS x1\nCOPY ${A:?no} /\nFROM scratch\n',
  'used stage with a failing variable':
    'FROM scratch AS x1\nCOPY ${A:?no} /\nFROM scratch\nCOPY --from=x1 / /\n',
  'COPY --from a number': 'FROM stagex/a\nFROM stagex/b\nFROM scratch\nCOPY --from=1 / /\n',
  'COPY --from a number, odd spelling': 'FROM stagex/a\nFROM stagex/b\nFROM scratch\nCOPY --from=+01 / /\n',
  'COPY --from a number too high': 'FROM scratch\nCOPY --from=1 / /\n',
  'COPY --from the number of an image': 'FROM scratch\nCOPY --from=stagex/a / /\nCOPY --from=1 / /b\n',
  'COPY --from itself': 'FROM scratch AS x1\nCOPY --from=x1 / /\n',
  'COPY --from itself by number': 'FROM scratch\nCOPY --from=0 / /\n',
  'COPY --from a later stage': 'FROM scratch AS x1\nCOPY --from=x2 / /\nFROM scratch AS x2\nFROM x1\n',
  'COPY --from a later stage, not needed': 'FROM scratch AS x1\nCOPY --from=x2 / /\nFROM scratch AS x2\n',
  'stages that copy from each other':
    'FROM scratch AS x1\nCOPY --from=x2 / /\nFROM scratch AS x2\nCOPY --from=x1 / /\n',
  'COPY --from scratch': 'FROM scratch\nCOPY --from=scratch / /\n',
  'COPY --from with a variable': 'ARG A=stagex/a\nFROM scratch\nCOPY --from=$A / /\n',
  'COPY --from quoted': "FROM scratch\nCOPY --from='stagex/a' / /\n",
  'mount from stage and image':
    'FROM stagex/a AS x1\nFROM scratch\nRUN --mount=from=x1,target=/a --mount=type=cache,from=stagex/b,target=/b true\n',
  'mount from a number is an image': 'FROM stagex/a\nFROM scratch\nRUN --mount=from=0,target=/a true\n',
  'mount from, other orders and quotes':
    'FROM scratch\nRUN --mount=target=/a,FROM=stagex/a,type=bind --mount="from=stagex/b,target=/b" true\n',
  'mount from, csv quotes':
    'FROM scratch\nRUN --mount=type=bind,"from=stagex/a",target=/a true\nRUN --mount=type=bind,fr"om=x",target=/a true\n',
  'mount from a variable': 'FROM scratch\nARG A=stagex/a\nRUN --mount=from=$A,target=/a true\n',
  'mount of the context':
    'FROM scratch\nRUN --mount=source=some/dir,target=/a --mount=type=bind,target=/b true\n',
  'mount of the context with a variable':
    'FROM scratch\nARG A=some\nRUN --mount=source=$A/*.c,target=/a true\n',
  'mounts that take nothing':
    'FROM scratch\nRUN --mount=type=cache,target=/a --mount=type=tmpfs,target=/b --mount=type=secret,id=x --mount=type=ssh true\n',
  'mount from of a tmpfs is looked up': 'FROM scratch\nRUN --mount=type=tmpfs,from=stagex/a,target=/a true\n',
  'mount from of a secret': 'FROM scratch\nRUN --mount=type=secret,id=x,from=stagex/a true\n',
  'mount onto the root': 'FROM scratch\nRUN --mount=target=. true\n',
  'mount onto a workdir': 'FROM scratch\nWORKDIR a\nRUN --mount=target=. true\n',
  'mount with an unknown key': 'FROM scratch\nRUN --mount=from=stagex/a,traget=/a true\n',
  'mount with an unknown key, not needed':
    'FROM scratch\nRUN --mount=from=stagex/a,traget=/a true\nFROM scratch\n',
  'mount from a later stage':
    'FROM scratch\nRUN --mount=from=x2,target=/a true\nFROM scratch AS x2\nCOPY --from=0 / /\n',
  'a cache mount counts as a numbered stage':
    'FROM scratch\nRUN --mount=type=cache,target=/a true\nFROM scratch\nCOPY --from=2 / /\n',
  target: { text: 'FROM stagex/a AS x1\nFROM stagex/b AS x2\n', target: 'x1' },
  'target, other case': { text: 'FROM stagex/a AS x1\nFROM stagex/b AS x2\n', target: 'X1' },
  'target by number': { text: 'FROM stagex/a AS x1\nFROM stagex/b AS x2\n', target: '0' },
  'target unknown': { text: 'FROM stagex/a AS x1\n', target: 'x9' },
  'target with needs': {
    text: 'FROM stagex/a AS x1\nFROM stagex/b AS x2\nCOPY --from=x1 / /\nFROM x2 AS x3\nFROM stagex/c AS x4\n',
    target: 'x3',
  },
  'ONBUILD in a base':
    'FROM scratch AS x1\nONBUILD COPY --from=stagex/a / /\nONBUILD COPY y /\nFROM x1\nCOPY z /\n',
  'ONBUILD does nothing in its own stage':
    'FROM scratch\nONBUILD COPY --from=stagex/a / /\nONBUILD COPY y /\n',
  'ONBUILD reaches no grandchild':
    'FROM scratch AS x1\nONBUILD COPY --from=stagex/a / /\nFROM scratch AS x2\nFROM x2\n',
  'ONBUILD of the base only':
    'FROM scratch AS x1\nONBUILD COPY one /\nFROM x1 AS x2\nONBUILD COPY two /\nFROM x2\n',
  'ONBUILD with a stage': 'FROM stagex/a AS x1\nFROM scratch AS x2\nONBUILD COPY --from=x1 / /\nFROM x2\n',
  'ONBUILD RUN mount': 'FROM scratch AS x1\nONBUILD RUN --mount=from=stagex/a,target=/a true\nFROM x1\n',
  'ONBUILD with a variable of the child': 'FROM scratch AS x1\nONBUILD ARG A=n\nONBUILD COPY $A /\nFROM x1\n',
  'ONBUILD that copies from the stage it is in':
    'FROM scratch AS x1\nONBUILD COPY --from=1 / /\nFROM x1 AS x2\nFROM scratch\nCOPY --from=x2 / /\n',
  'ONBUILD heredoc': 'FROM scratch AS x1\nONBUILD COPY <<EOF one /dir/\nFROM alpine\nEOF\nFROM x1\n',
  'ONBUILD ONBUILD': 'FROM scratch\nONBUILD ONBUILD COPY x /\n',
  'ONBUILD FROM': 'FROM scratch\nONBUILD FROM alpine\n',
  'ONBUILD of nothing known': 'FROM scratch\nONBUILD FOO x\n',
  'ONBUILD of nothing known, triggered': 'FROM scratch AS x1\nONBUILD FOO x\nFROM x1\n',
  'ONBUILD lower case, continued': 'FROM scratch AS x1\nonbuild copy \\\n --from=stagex/a / /\nFROM x1\n',
  'context replaces a stage': {
    text: 'FROM stagex/a AS fetch\nFROM scratch\nCOPY --from=fetch / /\n',
    contexts: ['fetch'],
  },
  'replaced stage: its images are still looked up': {
    text: 'FROM stagex/a AS fetch\nCOPY --from=stagex/b / /\nCOPY x /\nFROM scratch\nCOPY --from=fetch / /\n',
    contexts: ['fetch'],
  },
  'replaced stage written later': {
    text: 'FROM scratch AS x1\nCOPY --from=fetch / /\nFROM scratch AS fetch\nFROM x1\n',
    contexts: ['fetch'],
  },
  'replaced stage as base': { text: 'FROM stagex/a AS fetch\nFROM fetch\nCOPY x /\n', contexts: ['fetch'] },
  'replaced target': { text: 'FROM stagex/a AS fetch\n', contexts: ['fetch'] },
  'FROM the context': { text: 'FROM fetch\nCOPY --from=fetch / /\n', contexts: ['fetch'] },
  'stage called scratch': 'FROM stagex/a AS scratch\nFROM scratch\n',
  'stage called scratch and a cache mount':
    'FROM stagex/a AS scratch\nFROM stagex/b\nRUN --mount=type=cache,target=/a true\n',
};
