"""The built console: files of one folder, known before they are asked for, with a page where none is built.

Only files found by walking the folder are served, so no path in a request ever reaches the file system.
Files below ``assets/`` carry their digest in their name and may be kept for ever; index.html never is.
"""

from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

INDEX: Final = "index.html"
FOLDER: Final = Path(__file__).with_name("static")
FILES_MAX: Final = 5_000

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}
_BASE: Final = b'<base href="/" />'  # as web/index.html has it
_NOT_BUILT: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>六合 Liuhe</title></head><body>
<h1>控制台尚未构建</h1>
<p>中心正在运行,但此安装中没有控制台页面。请在源码目录运行 <code>make run</code>,或安装带控制台的发行包。</p>
<hr>
<h1 lang="en">The console is not built</h1>
<p lang="en">The center is running, but this installation has no console pages. Run <code>make run</code> in
the source folder, or install a released package, which carries them.</p>
</body></html>
"""


class StaticConsole:
    """The files of one built console."""

    def __init__(self, folder: Path = FOLDER, base_path: str = "") -> None:
        """``base_path``: what the browser's address has before the paths of the console."""
        self._folder = folder
        self._base = f'<base href="{base_path}/" />'.encode()
        self._files: dict[str, Path] = {}
        self._built_at = 0

    def answer(self, request: Request) -> Response:
        """The file of a path; the console's first page for a path of its own. Raises HTTPException (404)."""
        path = request.url.path.lstrip("/")
        self._look()
        if path.startswith("api/"):
            raise HTTPException(404)
        found = self._files.get(path)
        if found is not None and path != INDEX:
            kept = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
            return _file(found, kept)
        page = "text/html" in request.headers.get("accept", "")  # what a browser's address bar asks for
        if not page and (path.startswith("assets/") or (Path(path).suffix in _TYPES and path != INDEX)):
            raise HTTPException(404)  # a missing script answered by a page would only confuse
        index = self._files.get(INDEX)
        if index is None:
            return HTMLResponse(_NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})
        page_bytes = index.read_bytes().replace(_BASE, self._base, 1)
        return Response(page_bytes, media_type=_TYPES[".html"], headers={"Cache-Control": "no-store"})

    def _look(self) -> None:
        """Walk the folder again where the console was built since."""
        try:
            built_at = (self._folder / INDEX).stat().st_mtime_ns
        except OSError:
            self._files, self._built_at = {}, 0
            return
        if built_at == self._built_at:
            return
        found = [path for path in sorted(self._folder.rglob("*")) if path.is_file() and not path.is_symlink()]
        self._files = {path.relative_to(self._folder).as_posix(): path for path in found[:FILES_MAX]}
        self._built_at = built_at


def _file(path: Path, kept: str) -> FileResponse:
    kind = _TYPES.get(path.suffix, "application/octet-stream")
    return FileResponse(path, media_type=kind, headers={"Cache-Control": kept})
