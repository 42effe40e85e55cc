#!/bin/sh
# Builds the HDF5 shim (only when its source is newer) and runs all MATLAB tests in GNU Octave.
# Needs: octave, mkoctfile (octave-dev), libhdf5-dev. Exit code 1 when a test fails.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shim=$here/octave
if [ ! -e "$shim/build/h5shim.oct" ] || [ "$shim/h5shim.cc" -nt "$shim/build/h5shim.oct" ]; then
    mkdir -p "$shim/build"
    # shellcheck disable=SC2046  # the flags must be split into words
    (cd "$shim/build" && mkoctfile $(pkg-config --cflags hdf5-serial) "$shim/h5shim.cc" -o h5shim.oct \
        $(pkg-config --libs hdf5-serial))
fi
# The windows are tested too when a virtual display can be had.
display=
if [ -z "${DISPLAY:-}" ] && command -v xvfb-run >/dev/null; then
    display="xvfb-run -a"
fi
# The shim goes to the end of the path: an Octave that has h5read of its own keeps it.
exec $display octave --no-gui --norc --quiet --eval \
    "addpath('$here'); addpath('$shim', '$shim/build', '-end'); run_tests($(printf "'%s'" "${1:-}"));"
