/**
 * `graph`, `deps`, `rdeps`: the graph as it is written in the tree, no records asked.
 */
import { EXIT } from '@stx-make/core/errors';
import type { Handler } from '../args/model.ts';
import { withSession } from './session.ts';

export const graph: Handler<{
  readonly format: 'json' | 'dot' | 'svg' | 'html';
  readonly reduced: boolean;
}> = (context, { options }) =>
  withSession(context, async (session) => {
    const { output } = context;
    const services = await context.services.graph();
    switch (options.format) {
      case 'json':
        output.document(services.json(session.root, session.tree));
        break;
      case 'dot': {
        const dot = await services.dot(session.tree.graph, options.reduced);
        if (output.json) output.document({ dot });
        else output.raw(dot);
        break;
      }
      case 'svg': {
        const svg = await (await import('./graph-page.ts')).graphSvg(session.tree.graph);
        if (output.json) output.document({ svg });
        else output.raw(svg);
        break;
      }
      case 'html': {
        const html = await (await import('./graph-page.ts')).graphHtml(session.tree.graph, session.root);
        if (output.json) output.document({ html });
        else output.raw(html);
        break;
      }
      default:
        options.format satisfies never;
    }
    return EXIT.done;
  });

const relatives =
  (direction: 'dependencies' | 'dependents'): Handler<{ readonly transitive: boolean }> =>
  (context, { args, options }) =>
    withSession(context, async (session) => {
      const services = await context.services.graph();
      const tree = session.tree.graph;
      const [target = ''] = services.resolve(tree, args);
      const targets = services[direction](tree, target, options.transitive);
      if (context.output.json) context.output.document({ target, targets });
      else for (const name of targets) context.output.print(name);
      return EXIT.done;
    });

export const deps = relatives('dependencies');
export const rdeps = relatives('dependents');
