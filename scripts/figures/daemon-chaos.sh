#!/usr/bin/env bash
# The daemon under fire, at full length: 200 kills over a run of the fixture model for three profiles, 500 models from eight
# writers, 10,000 simulated jobs. The same tests are in `make test`, at a tenth of the length. About 25 minutes on 2 cores.
# Usage: daemon-chaos.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
FETTLE_CHAOS_KILLS=200 FETTLE_CHAOS_MODELS=500 FETTLE_CHAOS_JOBS=10000 \
    swift test -c release --disable-testable-imports --disable-xctest --no-parallel \
    --filter 'DaemonTests.(KillTests|SwarmTests|LoadTests)'
