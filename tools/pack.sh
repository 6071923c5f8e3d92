#!/bin/sh
# What `npm pack` in packages/cli calls before and after: makes a bundle with nothing left of earlier builds,
# and puts the README and the licence beside it while the archive is made. Knows nothing of npm.
#
# usage: pack.sh begin|end
set -eu
tools=$(CDPATH='' cd -P -- "${0%/*}/" && pwd -P)
clone=${tools%/*}
cli=$clone/packages/cli
case ${1-} in
  begin)
    /bin/sh "$tools/setup.sh"
    # shellcheck source=/dev/null
    . "$clone/.cache/ready"
    "${node:?}" "$tools/bundle.ts" --clean
    cp "$clone/README.md" "$clone/LICENSE" "$cli/"
    ;;
  end) rm -f "$cli/README.md" "$cli/LICENSE" ;;
  *)
    echo 'usage: pack.sh begin|end' >&2
    exit 2
    ;;
esac
