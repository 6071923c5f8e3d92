/**
 * The manifest in docs/kubernetes: every document is what Kubernetes' own OpenAPI schema says (as kubernetes-models brings it),
 * and says what docs/workers.md relies on; the workers beside it are its pods. That schema lets unknown fields pass: those
 * relied on are read by the models' names, so a misspelt one is missing here.
 */
import { readFileSync } from 'node:fs';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { Role } from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { ConfigMap, Namespace, Service } from 'kubernetes-models/v1';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readWorkersFile } from '../../../packages/core/src/config/read-workers.ts';

const file = (name: string) => readFileSync(new URL(`../../../docs/kubernetes/${name}`, import.meta.url));

const documents = parseAllDocuments(file('buildkit.yaml').toString(), { strict: true, uniqueKeys: true });

/** The document of a kind as plain data. */
function read(kind: string): Record<string, unknown> {
  const found = documents.map((document) => document.toJS()).filter((value) => value.kind === kind);
  expect(found, kind).toHaveLength(1);
  return found[0];
}

const KINDS: Readonly<Record<string, new (data: never) => { validate(): void }>> = {
  ConfigMap,
  Namespace,
  Role,
  Service,
  StatefulSet,
};

test('each document parses and is valid', () => {
  expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
  for (const document of documents) {
    const value = document.toJS();
    const Model = KINDS[value.kind];
    if (Model === undefined) throw new Error(`no schema for ${value.kind}`);
    new Model(value as never).validate();
  }
});

test.each([
  ['a missing field', { template: undefined }],
  ['a value of another type', { replicas: 'two' }],
  ['a value deep within', { template: { spec: { containers: [{ image: 'x' }] } } }],
])('%s would be refused', (_, change) => {
  const good = read('StatefulSet');
  const bad = { ...good, spec: { ...(good['spec'] as object), ...change } };
  expect(() => new StatefulSet(bad as never).validate()).toThrow();
});

test('names fit together, the pods have disks, steps can run, nothing is open', () => {
  const set = new StatefulSet(read('StatefulSet') as never);
  const service = new Service(read('Service') as never);
  const spec = set.spec;
  if (spec === undefined || set.metadata === undefined) throw new Error('no spec');
  const pod = spec.template.spec;
  const [container] = pod?.containers ?? [];
  expect(spec.serviceName).toBe(service.metadata?.name);
  expect(service.spec).toEqual({ clusterIP: 'None', selector: spec.template.metadata?.labels });
  expect(spec.selector.matchLabels).toEqual(spec.template.metadata?.labels);
  for (const kind of ['ConfigMap', 'Service', 'StatefulSet', 'Role']) {
    expect((read(kind)['metadata'] as { namespace: string }).namespace).toBe('buildkit');
  }
  expect(container?.securityContext).toEqual({ privileged: true });
  expect(container?.ports).toBeUndefined();
  expect(container?.image).toMatch(/buildkit:v0\.32\.2$/);
  const mounts = container?.volumeMounts?.map(({ name }) => name).sort();
  const volumes = [
    ...(pod?.volumes ?? []),
    ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata),
  ];
  expect(mounts).toEqual(volumes.map((volume) => volume?.name).sort());
  expect(pod?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toHaveLength(1);
  expect(pod?.nodeSelector).toEqual({ 'kubernetes.io/arch': 'amd64' });
  expect(
    [container?.startupProbe, container?.readinessProbe].map((probe) => probe?.exec?.command?.[0]),
  ).toEqual(['buildctl', 'buildctl']);
  expect(container?.livenessProbe).toBeUndefined();
  expect(spec.volumeClaimTemplates?.[0]?.spec?.resources?.requests).toEqual({ storage: '500Gi' });
  const config = pod?.volumes?.find(({ name }) => name === 'config')?.configMap?.name;
  expect(config).toBe((read('ConfigMap')['metadata'] as { name: string }).name);

  const { workers, problems } = readWorkersFile(file('workers.toml'), 'workers.toml');
  expect(problems).toEqual([]);
  expect(workers.map(({ spec: { address } }) => address)).toEqual(
    Array.from(
      { length: spec.replicas ?? 0 },
      (_, index) => `kube-pod://${set.metadata?.name}-${index}?namespace=buildkit`,
    ),
  );
});
