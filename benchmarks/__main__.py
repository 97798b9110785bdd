"""`python -m benchmarks [name ...]` runs all benchmarks, or those named."""

import sys

from benchmarks import athena, prompts, reading, refresh, s3, serving

ALL = {
    "reading": reading.run,
    "prompts": prompts.run,
    "s3": s3.run,
    "athena": athena.run,
    "refresh": refresh.run,
    "serving": serving.run,
}


def main() -> None:
    """Run the benchmarks that the command line names."""
    names = sys.argv[1:] or list(ALL)
    if unknown := set(names) - set(ALL):
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    for name in names:
        ALL[name]()


if __name__ == "__main__":
    main()
