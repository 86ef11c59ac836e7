# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter Store: MiniStack's, with the checks and answers of AWS that it lacks; keeps no parameter itself.

Added here: limits of names, values and lists, key ids, types that must not change, public parameters of machine images, unknown
resources when tagging, filters by tag and level, and undecrypted values that cannot be read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import typing as t

from ministack.core.responses import get_account_id, get_region
from ministack.services import kms
from ministack.services import ssm as ministack

from ..emulation import images
from ..session.answers import ApiError, paginate

Dict = dict[str, t.Any]

PUBLIC_PATH = "/aws/service/"
_NAME = re.compile(r"[a-zA-Z0-9_.\-/]+")
_LEVELS = 15
_VALUE_BYTES = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}
_TYPES = ("String", "StringList", "SecureString")
_FILTER_KEY = r"tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType"
_DEBIAN = {"12": "bookworm", "13": "trixie"}
"""Debian publishes each release under its number and its name."""
_PUBLIC_DATE = 1763337600.0  # 2025-11-17, the date of the images


class Parameters:
    """Checks a call, has MiniStack carry it out, and repairs the answer. `call` gives MiniStack's status and answer."""

    def __init__(self, call: t.Callable[[str, Dict], t.Awaitable[tuple[int, Dict]]]) -> None:
        self._call = call
        self._public = images.public_parameters()
        for name, value in list(self._public.items()):
            for number, codename in _DEBIAN.items():
                self._public[name.replace(f"/debian/release/{number}/", f"/debian/release/{codename}/")] = value
        self.operations: dict[str, t.Callable[[Dict], t.Awaitable[Dict]]] = {
            "PutParameter": self.put,
            "GetParameter": self.get,
            "GetParameters": self.get_several,
            "GetParametersByPath": self.get_by_path,
            "GetParameterHistory": self.history,
            "DeleteParameter": self.delete,
            "DeleteParameters": self.delete_several,
            "DescribeParameters": self.describe,
            "AddTagsToResource": self._tagging("AddTagsToResource"),
            "RemoveTagsFromResource": self._tagging("RemoveTagsFromResource"),
            "ListTagsForResource": self._tagging("ListTagsForResource"),
        }

    async def put(self, body: Dict) -> Dict:
        """PutParameter."""
        name = str(body.get("Name") or "")
        value = body.get("Value")
        _check_name(name)
        if not isinstance(value, str) or not value:
            raise _invalid("value", value, "have length greater than or equal to 1")
        kind = body.get("Type")
        if kind is not None and kind not in _TYPES:
            raise _invalid("type", kind, f"satisfy enum value set: {list(_TYPES)}")
        existing = ministack._parameters.get(name)
        if existing is not None and body.get("Overwrite") and kind is not None and kind != existing["Type"]:
            raise ApiError(
                "HierarchyTypeMismatchException",
                f"Parameter Store does not support changing a parameter type in a hierarchy: {name} is a {existing['Type']}.",
            )
        tier = _tier(body, existing if body.get("Overwrite") else None, value)
        if len(value.encode()) > _VALUE_BYTES.get(tier, 4096):
            raise ApiError(
                "ValidationException",
                "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, "
                "upgrade the parameter to use the advanced-parameter tier."
                if tier == "Standard"
                else "Advanced tier parameters support a maximum parameter value of 8192 characters.",
            )
        pattern = body.get("AllowedPattern")
        if pattern and not re.search(pattern, value):
            raise ApiError("ParameterPatternMismatchException", f"Parameter value, cannot be validated against allowedPattern: {pattern}")
        if (kind or (existing or {}).get("Type")) == "SecureString":
            _check_key(str(body.get("KeyId") or "alias/aws/ssm"))
        elif body.get("KeyId"):
            raise ApiError("ValidationException", "KeyId is required for SecureString type parameter only.")
        return await self._done("PutParameter", body | {"Tier": tier})

    async def get(self, body: Dict) -> Dict:
        """GetParameter."""
        public = self._public_parameter(str(body.get("Name") or ""))
        if public is not None:
            return {"Parameter": public}
        answer = await self._done("GetParameter", body)
        return {"Parameter": _sealed(answer["Parameter"], body)}

    async def get_several(self, body: Dict) -> Dict:
        """GetParameters."""
        names = body.get("Names") or []
        _check_count("names", names, 10)
        public = [found for found in (self._public_parameter(name) for name in names) if found is not None]
        own = [name for name in names if self._public_parameter(name) is None]
        answer = await self._done("GetParameters", body | {"Names": own})
        return {
            "Parameters": [_sealed(item, body) for item in answer["Parameters"]] + public,
            "InvalidParameters": answer["InvalidParameters"],
        }

    async def get_by_path(self, body: Dict) -> Dict:
        """GetParametersByPath, at most ten parameters a page."""
        path = str(body.get("Path") or "")
        if not path.startswith("/"):
            raise ApiError(
                "ValidationException",
                'The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with a forward slash "/": '
                + path,
            )
        if not 1 <= int(body.get("MaxResults") or 10) <= 10:
            raise _invalid("maxResults", body["MaxResults"], "have value less than or equal to 10")
        prefix = path.rstrip("/") + "/"
        if prefix.startswith(PUBLIC_PATH):
            names = [name for name in sorted(self._public) if name.startswith(prefix)]
            found = [self._public_parameter(name) for name in names if body.get("Recursive") or "/" not in name[len(prefix) :]]
        else:
            whole = {key: value for key, value in body.items() if key not in ("NextToken", "ParameterFilters")}
            found = (await self._done("GetParametersByPath", whole | {"MaxResults": 1_000_000}))["Parameters"]
            found = [item for item in found if all(_passes(item, wanted) for wanted in body.get("ParameterFilters") or [])]
        page, token = paginate(found, body, 10)
        return {"Parameters": [_sealed(item, body) for item in page], **token}

    async def history(self, body: Dict) -> Dict:
        """GetParameterHistory."""
        answer = await self._done("GetParameterHistory", body)
        for item in answer["Parameters"]:
            item.update(_sealed(item, body), Policies=_policies(item.get("Policies")))
        return answer

    async def delete(self, body: Dict) -> Dict:
        """DeleteParameter."""
        return await self._done("DeleteParameter", body)

    async def delete_several(self, body: Dict) -> Dict:
        """DeleteParameters."""
        _check_count("names", body.get("Names") or [], 10)
        return await self._done("DeleteParameters", body)

    async def describe(self, body: Dict) -> Dict:
        """DescribeParameters; fifty a page unless told otherwise."""
        if not 1 <= int(body.get("MaxResults") or 50) <= 50:
            raise _invalid("maxResults", body["MaxResults"], "have value less than or equal to 50")
        filters = body.get("ParameterFilters") or []
        for item in filters:
            if not re.fullmatch(_FILTER_KEY, item["Key"]):
                raise ApiError("InvalidFilterKey", f"The specified key isn't valid: {item['Key']}.")
        ours = [item for item in filters if item["Key"] == "Path" or item["Key"].startswith("tag:")]
        theirs = [item for item in filters if item not in ours]
        whole = {key: value for key, value in body.items() if key != "NextToken"}
        answer = await self._done("DescribeParameters", whole | {"ParameterFilters": theirs, "MaxResults": 1_000_000})
        found = [item for item in answer["Parameters"] if all(_passes(item, wanted) for wanted in ours)]
        page, token = paginate(found, body, 50)
        return {"Parameters": [item | {"Policies": _policies(item.get("Policies"))} for item in page], **token}

    def _tagging(self, operation: str) -> t.Callable[[Dict], t.Awaitable[Dict]]:
        async def call(body: Dict) -> Dict:
            if body.get("ResourceType") == "Parameter":
                _, found = ministack._lookup_parameter(str(body.get("ResourceId") or ""), flexible_name=True)
                if found is None:
                    raise ApiError(
                        "InvalidResourceId", "The resource ID isn't valid. Verify that you entered the correct ID and try again."
                    )
            return await self._done(operation, body)

        return call

    def _public_parameter(self, name: str) -> Dict | None:
        value = self._public.get(name)
        if value is None:
            return None
        return {
            "Name": name,
            "Type": "String",
            "Value": value,
            "Version": 1,
            "LastModifiedDate": _PUBLIC_DATE,
            "ARN": f"arn:aws:ssm:{get_region()}::parameter{name}",
            "DataType": "aws:ec2:image" if "ami" in name else "text",
        }

    async def _done(self, operation: str, body: Dict) -> Dict:
        status, answer = await self._call(operation, body)
        if status >= 400:
            raise ApiError(str(answer.get("__type") or "InternalServerError"), str(answer.get("message") or ""), status=status)
        return answer


def _invalid(member: str, value: t.Any, rule: str) -> ApiError:
    text = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
    return ApiError("ValidationException", text)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name.endswith("/") or "//" in name or ("/" in name and not name.startswith("/")):
        raise ApiError(
            "ValidationException",
            f"Parameter name: {name!r} must be a fully qualified name of letters, numbers and the symbols .-_, "
            "with / between levels and at the beginning.",
        )
    if len(f"arn:aws:ssm:{get_region()}:{get_account_id()}:parameter{name}") > 1011 or len(name) > 2048:
        raise ApiError("ValidationException", "Parameter name: the maximum length of a fully qualified name is 1011 characters.")
    if name.strip("/").count("/") >= _LEVELS:
        raise ApiError("HierarchyLevelLimitExceededException", f"A hierarchy can have a maximum of {_LEVELS} levels.")


def _tier(body: Dict, existing: Dict | None, value: str) -> str:
    """The tier that a parameter has after PutParameter: AWS takes none back from advanced to standard."""
    asked = body.get("Tier") or (existing or {}).get("Tier") or "Standard"
    if asked not in _VALUE_BYTES:
        raise _invalid("tier", asked, f"satisfy enum value set: {list(_VALUE_BYTES)}")
    advanced = existing is not None and existing.get("Tier") == "Advanced"
    if advanced and asked == "Standard":
        raise ApiError(
            "ValidationException",
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the "
            "standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.",
        )
    if asked == "Intelligent-Tiering":
        needed = advanced or len(value.encode()) > _VALUE_BYTES["Standard"] or bool(body.get("Policies"))
        return "Advanced" if needed else "Standard"
    if body.get("Policies") and asked == "Standard":
        raise ApiError("ValidationException", "Parameter policies are supported for parameters of the advanced-parameter tier only.")
    return str(asked)


def _check_key(key_id: str) -> None:
    """An AWS managed key exists as soon as it is named; another one must exist and be usable."""
    if key_id.rpartition(":")[2].startswith("alias/aws/"):
        return
    key = kms._resolve_key(key_id)
    if key is None:
        raise ApiError("InvalidKeyId", f"Invalid keyId {key_id}")
    if key.get("KeyState", "Enabled") != "Enabled":
        raise ApiError("InvalidKeyId", f"{key.get('Arn', key_id)} is {key['KeyState'].lower()}. (Service: AWSKMS)")


def _check_count(name: str, values: list[str], most: int) -> None:
    if not 1 <= len(values) <= most:
        raise _invalid(name, values, f"have length between 1 and {most}")


def _sealed(item: Dict, body: Dict) -> Dict:
    """A SecureString that is not decrypted shows bytes that tell nothing."""
    if item["Type"] != "SecureString" or body.get("WithDecryption"):
        return item
    seed = f"{item['Name']}/{item['Version']}".encode()
    length = 1 + 8 + len(str(item["Value"]))
    return item | {"Value": base64.b64encode(b"\x01" + hashlib.shake_256(seed).digest(length + 120)).decode("ascii")}


def _passes(item: Dict, wanted: Dict) -> bool:
    key, option, values = wanted["Key"], wanted.get("Option") or "", wanted.get("Values") or []
    if key == "Path":
        for value in values:
            prefix = value.rstrip("/") + "/"
            if item["Name"].startswith(prefix) and (option == "Recursive" or "/" not in item["Name"][len(prefix) :]):
                return True
        return False
    if key.startswith("tag:"):
        tags = ministack._tags.get(item["ARN"]) or {}
        return key[4:] in tags and (not values or tags[key[4:]] in values)
    if key in ("Type", "KeyId", "Label", "DataType", "Tier", "Name"):
        record = ministack._parameters.get(item["Name"])
        return record is not None and ministack._apply_filter(record, key, option or "Equals", values)
    raise ApiError("InvalidFilterKey", f"The specified key isn't valid: {key}.")


def _policies(value: t.Any) -> list[Dict]:
    """Policies as the model has them; MiniStack shows the text that was put."""
    if not value:
        return []
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return []
    return [
        {"PolicyText": json.dumps(item), "PolicyType": str(item.get("Type", "")), "PolicyStatus": "Finished"}
        for item in parsed
        if isinstance(item, dict)
    ]
