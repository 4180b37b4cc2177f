"""``python -m benchmarks [NAME …]``: run the named benchmarks (default: all).

Each is a module with ``main()``, which prints what it measured beside its limit and its peers, works in a
folder of its own and leaves nothing behind.
"""

import importlib
import pkgutil
import sys

import benchmarks

known = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))
wanted = sys.argv[1:] or known
if unknown := set(wanted) - set(known):
    sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
for name in wanted:
    module = importlib.import_module(f"benchmarks.{name}")
    print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
    module.main()
