/** Our reader's answer to the oracle's question, in the oracle's words. */
import {
  familiarImageName,
  parseContainerfile,
  resolveContainerfile,
} from '../../../packages/core/src/containerfile/index.ts';
import { ProblemError } from '../../../packages/core/src/errors.ts';
import type { Answer, Question } from './oracle.ts';

export function ours(question: Question): Answer {
  const { text } = question;
  try {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    const resolved = resolveContainerfile(parseContainerfile(bytes, 'Containerfile'), {
      target: question.target ?? null,
      buildArgs: question.buildArgs ?? {},
      platform: question.platform ?? 'linux/amd64',
      buildPlatform: 'linux/amd64',
      contexts: new Set(question.contexts ?? []),
    });
    const images = resolved.references.map(({ image }) => familiarImageName(image) ?? image);
    const sources = resolved.contextSources.map(({ instruction, pattern }) =>
      instruction === 'mount' ? `mount:${pattern.replace(/\\(.)/g, '$1')}` : pattern,
    );
    return {
      error: null,
      denied: null,
      images: [...new Set(images)].sort(),
      sources: [...new Set(sources)].sort(),
    };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { error: error.message, denied: null, images: [], sources: [] };
  }
}
