"""Who schemathesis is: an admin who signs in again when their session may have been ended."""
import json
import os
import urllib.error
import urllib.request

import schemathesis

# The type of a part of a resumable upload.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

# The id of the first admin of every library.
ME = "00000000-0000-0000-0000-000000000001"


@schemathesis.hook
def filter_case(context, case):
    """Leaves out what would give this admin another address, or end the account: nobody could sign in again."""
    return case.method == "GET" or ME not in f"{case.path_parameters} {case.body}"


@schemathesis.auth(refresh_interval=1)
class Session:
    def get(self, case, context):
        request = urllib.request.Request(
            os.environ["SFA_ADDRESS"] + "/api/v1/login", os.environ["SFA_ACCOUNT"].encode(),
            {"content-type": "application/json"})
        try:
            return urllib.request.urlopen(request).headers["set-cookie"].split(";")[0]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"no new session: {error.code} {error.read().decode()}") from error

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Cookie": data}
