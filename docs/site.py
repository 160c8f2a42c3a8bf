"""What the site does with pages that were written to be read in the repository."""

import posixpath
import re

REPOSITORY = "https://github.com/crible/crible/blob/main/"
LINK = re.compile(r"(?<=\]\()(?!https?://|#|/)([^)\s#]+)(#[^)\s]*)?(?=\))")


def on_page_markdown(markdown, page, config, files):
    """Links that lead out of this folder lead to the repository; all others have to lead to a page."""
    here = posixpath.dirname(page.file.src_uri)

    def leads(match):
        path = posixpath.normpath(posixpath.join("docs", here, match[1]))
        return match[0] if path.startswith("docs/") else REPOSITORY + path + (match[2] or "")

    return LINK.sub(leads, markdown)
