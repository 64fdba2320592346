"""Commands about strategies and rules."""

from pathlib import Path
from typing import Annotated, Any

import typer

from arrears.context import ledger, print_json, run, say
from domain.errors import BadInput
from domain.strategy import Strategy, read_strategy
from ledger import strategies as published

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def publish(
    file: Annotated[Path, typer.Argument(help="A strategy in TOML.")],
    as_json: Json = False,
) -> None:
    """Check a strategy and publish it. The same name and version with other content is refused."""
    try:
        strategy = read_strategy(file.read_text("utf-8"), file.name)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"strategy file {file} cannot be read: {error}.") from None
    _check_words(strategy, file.name)

    async def main() -> bool:
        async with ledger() as books, books.pool.acquire() as conn:
            return await published.publish(conn, strategy)

    fresh = run(main)
    shown = {"name": strategy.name, "version": strategy.version, "digest": strategy.digest, "new": fresh}
    print_json(shown) if as_json else say(
        f"{strategy.name} {strategy.version} {'published' if fresh else 'was published before'}."
    )


def _check_words(strategy: Strategy, source: str) -> None:
    from activities.gate import shipped
    from activities.words import check_template
    from channels.letters import letter_template_exists

    for name in strategy.rulebooks:
        if name not in shipped():
            raise BadInput(
                f"strategy {source}, key rulebooks: there is no rulebook {name!r}; `arrears rules list` shows them."
            )
    for channel, name in strategy.templates():
        if channel == "letter" and not letter_template_exists(name):
            raise BadInput(
                f"strategy {source}: letter template {name!r} is missing: put it at policies/letters/en/{name}.typ."
            )
        try:
            check_template(channel, name)
        except BadInput as error:
            raise BadInput(f"strategy {source}: {error}") from None


def list_(as_json: Json = False) -> None:
    """List what is published."""

    async def main() -> list[dict[str, Any]]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await published.listed(conn)

    found = run(main)
    if as_json:
        print_json(found)
    else:
        names = [f"{each['name']} {each['version']}" for each in found]
        for name, each in zip(names, found, strict=True):
            say(f"{name:{max(map(len, names))}}  {each['digest'][:12]}  {each['published_at']:%Y-%m-%d}")


def show(
    name: Annotated[str, typer.Argument(help="The strategy's name.")],
    version: Annotated[int | None, typer.Option(help="The newest without.")] = None,
    as_json: Json = False,
) -> None:
    """Show a published strategy."""

    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await published.content_of(conn, name, version)

    content = run(main)
    if as_json:
        print_json(content)
        return
    say(
        f"{content['name']} {content['version']}, calendar {content['calendar']}, rulebooks {', '.join(content['rulebooks'])}"
    )
    for stage in content["stages"]:
        needs = f", requires {' and '.join(stage['requires'])}" if stage["requires"] else ""
        say(f"  {stage['name']} from day {stage['from_dpd']}{needs}")
        for step in stage["steps"]:
            say(f"    {step['id']}: {step['do']}" + (f" {step['template']}" if step["template"] else ""))
