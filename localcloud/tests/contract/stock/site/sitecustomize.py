# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python imports this at its start: in Ansible's processes and those of its modules, it watches the answers that boto3 gets."""

from __future__ import annotations

from contract import watch

watch.install()
