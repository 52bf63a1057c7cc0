"""Import this before whatever imports nbformat: it spares a process 1.5 seconds.

nbformat imports jsonschema, which asks for a package that checks internationalized addresses, and that
package builds a grammar when it is imported. No notebook is checked for such an address; jsonschema does
without the package where it is not installed, and here it is as if it were not.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
