"""The command line: ``onelayer fit``, ``path``, ``probe``, ``predict``, ``evaluate``, ``datasets``, ``lessons``.

Nothing heavy is imported at module level, here or in the commands' modules: ``--help`` must not wait for torch.
"""

import itertools
import sys

import typer
from typer.exceptions import TyperException

from onelayer.cli.datasets import datasets
from onelayer.cli.evaluate import evaluate
from onelayer.cli.fit import fit
from onelayer.cli.lessons import lessons
from onelayer.cli.path import path
from onelayer.cli.predict import predict
from onelayer.cli.probe import probe
from onelayer.cli.together import rank_of_several
from onelayer.errors import OnelayerError, ProcessError

__all__ = ["app", "main"]

# rich_markup_mode=None: usage errors are then one plain line, not a box.
app = typer.Typer(
    name="onelayer",
    help="Linear, logistic and softmax regression: the exact answer, with a proof.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (fit, path, probe, predict, evaluate, datasets, lessons):
    app.command()(command)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit.", is_eager=True),
) -> None:
    if version:
        from onelayer import __version__

        typer.echo(__version__)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments=None):
    """Run the command line (default: of this process) and return the exit code: 0, 2 for bad input or usage, 3 for not converged, 130 for Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    rank = rank_of_several()
    if rank and arguments[:1] != ["fit"]:
        # A fit is the only work that several processes share; all else the first of them does.
        return 0
    try:
        return app(arguments, prog_name="onelayer", standalone_mode=False) or 0
    except ProcessError as error:
        return _fail(str(error))
    except OnelayerError as error:
        # The first process has it too, and says it for all.
        return _fail(str(error)) if not rank else 2
    except TyperException as error:
        return _fail(_usage(error, arguments)) if not rank else 2
    except (KeyboardInterrupt, typer.Abort):
        print("onelayer: interrupted before there was anything to keep.", file=sys.stderr)  # noqa: T201
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is left to say, not even at shutdown.
        sys.stdout = None
        return 0


def _fail(sentence, code=2):
    print(f"onelayer: {sentence}", file=sys.stderr)  # noqa: T201
    return code


def _usage(error, arguments):
    """Return typer's complaint with what would have been right."""
    sentence = error.format_message() if hasattr(error, "format_message") else str(error)
    sentence = sentence.split(" (Possible")[0].split(" Did you mean")[0].rstrip(". ")
    context = getattr(error, "ctx", None)
    if context is None:
        return f"{sentence}."
    if type(error).__name__ == "NoSuchOption":
        known = sorted(name for part in context.command.params for name in part.opts if name.startswith("--"))
        return f"{sentence}; the options of {context.info_name} are {', '.join(known)}."
    if "No such command" in sentence:
        return f"{sentence}; the commands are {', '.join(sorted(context.command.commands))}."
    names = getattr(getattr(error, "param", None), "opts", [])
    given = [value for name, value in itertools.pairwise(arguments) if name in names]
    value = f", not {given[-1]!r}" if given else ""
    return f"{sentence}{value} (see {context.command_path} --help)."
