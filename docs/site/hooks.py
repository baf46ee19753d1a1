"""What the site takes from outside of docs/: the product's own look, and two pages of the root."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md")
LOOK = ("css/base.css", "img/icon.svg")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add tokens, fonts and mark as the product has them, so that they are kept in one place."""
    static = ROOT / "static"
    fonts = [str(path.relative_to(static)) for path in (static / "fonts").iterdir()]
    for name in (*LOOK, *fonts):
        files.append(File.generated(config, name, abs_src_path=str(static / name)))
    for name in PAGES:
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        files.append(File.generated(config, name, content=text))
    return files


def on_page_content(html: str, **_others: Any) -> str:
    """Let wide tables scroll by themselves, so that a phone's page does not."""
    return html.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )


def on_page_markdown(markdown: str, page: Page, **_others: Any) -> str:
    """Lead links to the two pages of the root to where they lie in the site."""
    up = "../" * page.file.src_uri.count("/")
    for name in PAGES:
        markdown = markdown.replace(f"](../{up}{name}", f"]({up}{name}")
    return markdown
