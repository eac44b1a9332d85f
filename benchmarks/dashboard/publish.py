"""An asv plugin: what `asv publish` does besides.

Benchmarks without results are left out, whose places in the grid would stay empty.  And the pages need no network: asv
has them load jQuery, Flot and Bootstrap from content delivery networks; here they are copied beside the pages, from
where `npm ci --prefix benchmarks/dashboard` puts them.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from asv.console import log
from asv.publishing import OutputPublisher

MODULES = Path(__file__).with_name("node_modules")
# The end of the address in asv's page, and the file of the package.
FILES = {
    "jquery-3.3.1.min.js": "jquery/dist/jquery.min.js",
    "jquery.flot.min.js": "jquery.flot/jquery.flot.js",
    "jquery.flot.time.min.js": "jquery.flot/jquery.flot.time.js",
    "jquery.flot.selection.min.js": "jquery.flot/jquery.flot.selection.js",
    "jquery.flot.categories.min.js": "jquery.flot/jquery.flot.categories.js",
    "jquery.flot.orderBars.js": "flot-orderbars/js/jquery.flot.orderBars.js",
    "stupidtable.min.js": "stupid-table-plugin/stupidtable.min.js",
    "md5.min.js": "blueimp-md5/js/md5.min.js",
    "bootstrap.min.js": "bootstrap/dist/js/bootstrap.min.js",
    "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
}
# The hash belongs to the file of that address, which may be packed otherwise; npm has checked that of the package.
REMOTE = re.compile(r'(src|href)="(https://[^"]+\.(?:js|css))"( (?:integrity|crossorigin|referrerpolicy)="[^"]*")*')


class Dashboard(OutputPublisher):  # type: ignore[misc]
    """Runs before asv's own pages are made, which have the orders 0, 1, ..."""

    name = "dashboard"
    order = -1

    @classmethod
    def publish(cls, conf: Any, repo: Any, benchmarks: dict[str, Any], graphs: Any, revisions: Any) -> None:
        """Leave out what has no results, and keep the page's libraries beside it."""
        for name in benchmarks.keys() - {graph.benchmark_name for _, graph in graphs}:
            del benchmarks[name]
        if MODULES.is_dir():
            keep_local(Path(conf.html_dir))
        else:
            log.warning("The pages will need the network. Without: npm ci --prefix benchmarks/dashboard")


def keep_local(pages: Path) -> None:
    """Copy the libraries, and have the page load the copies."""
    index = pages / "index.html"

    def local(tag: re.Match[str]) -> str:
        attribute, address = tag[1], tag[2]
        file = FILES[address.rpartition("/")[2]]
        copy = pages / "lib" / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MODULES / file, copy)
        return f'{attribute}="lib/{file}"'

    index.write_text(REMOTE.sub(local, index.read_text(encoding="utf-8")), encoding="utf-8")
