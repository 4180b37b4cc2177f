"""A report's first page as a picture."""

import base64
import tempfile
from pathlib import Path

import typst


def first_page(pdf: Path) -> str:
    """The first page of a PDF as a picture in Markdown."""
    with tempfile.NamedTemporaryFile("w", suffix=".typ", dir=pdf.parent) as page:
        page.write(f'#set page(width: auto, height: auto, margin: 0pt)\n#image("{pdf.name}", page: 1)')
        page.flush()
        picture = typst.compile(page.name, root=str(pdf.parent), format="png", ppi=72)
    return f"![first page](data:image/png;base64,{base64.b64encode(picture).decode()})"
