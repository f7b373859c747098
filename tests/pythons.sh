#!/usr/bin/env bash
# Runs the unit tests of clients/python with each supported Python that is installed, besides the one of target/python: `python3.12`
# and the like in PATH, or in pyenv's folder. Each gets an environment of its own, target/python-3.12. Says which are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

SUPPORTED=(3.10 3.11 3.12 3.13)
# Beside these, test_package.py and test_reference.py need what builds the package and its reference: one version is enough for that.
NEEDED=(aiohttp aiortc anyio pytest)
export SIGNALPOST_BIN=${SIGNALPOST_BIN:-$PWD/target/debug/signalpost}

# Where a version is. pyenv has commands in PATH for versions that it does not run at the moment.
interpreter() {
  local path
  for path in $(type -ap "python$1") "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
    if "$path" -c "import ensurepip" 2> /dev/null; then echo "$path"; return; fi
  done
  return 1
}

# Installs what the tests need, at fixed versions.
environment() {
  local version=$1 path=$2 folder=target/python-$1 pins=tests/requirements.txt
  [ ! -e "tests/requirements-$version.txt" ] || pins=tests/requirements-$version.txt
  cmp -s "$pins" "$folder/.installed-requirements" && return
  "$path" -m venv --clear "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --constraint "$pins" "${NEEDED[@]}"
  cp "$pins" "$folder/.installed-requirements"
}

failed=0 ran=() missing=()
usual=$(target/python/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for version in "${SUPPORTED[@]}"; do
  [ "$version" != "$usual" ] || continue
  path=$(interpreter "$version") || { missing+=("$version"); continue; }
  printf 'Python %s\n' "$version"
  environment "$version" "$path" || { failed=1; continue; }
  (cd clients/python && timeout 900 "../../target/python-$version/bin/python" -m pytest -q -p no:cacheprovider \
    --ignore tests/test_package.py --ignore tests/test_reference.py) || failed=1
  ran+=("$version")
done
printf 'Besides Python %s, tested with: %s; not installed here: %s\n' "$usual" "${ran[*]:-none}" "${missing[*]:-none}"
[ ${#ran[@]} -gt 0 ] || [ $failed -ne 0 ] || exit 77
exit $failed
