"""What the checks of the source have to notice, each with an example that they must not let by."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import approval
from tests.lacking import lacking
from tests.rules import broken, main

PACKAGE = Path(approval.__file__).parent

WRONG = {
    "STARTTLS that trusts anybody": "import smtplib\nsmtplib.SMTP('a', 25).starttls()",
    "STARTTLS of a kept client": "self._client.starttls()",
    "SMTP over TLS that trusts anybody": "import smtplib\nsmtplib.SMTP_SSL('a', 465, timeout=3)",
    "the same, imported": "from smtplib import SMTP_SSL\nSMTP_SSL('a')",
    "no verification": "import requests\nsession.post(url, timeout=3, verify=False)",
    "no timeout": "import requests\nself._session.request('GET', url, verify=True)",
    "no timeout, a pool": "self._pool.urlopen('GET', path, retries=False)",
    "redirections, a pool": "self._pool.urlopen('GET', path, timeout=3)",
    "no timeout, a verb of a pool": "import urllib3\npools.request('GET', url, retries=False)",
    "no verification, by name": "urllib3.PoolManager(cert_reqs=ssl.CERT_NONE)",
    "any name": "urllib3.PoolManager(assert_hostname=False)",
    "no verification, a pool": "urllib3.PoolManager(cert_reqs='CERT_NONE')",
    "no timeout, another verb": "import requests\nself._http.head(url)",
    "the environment has its say": "import requests\nrequests.get(url, timeout=3)",
    "the environment has its say, imported": "from requests import post\npost(url, timeout=3)",
    "a session that trusts the environment": "import requests\nsession = requests.Session()",
    "XML by default": "from lxml import etree\netree.fromstring(body)",
    "XML by default, another name": "import lxml.etree as ET\nET.parse(file)",
    "XML by default, imported": "from lxml.etree import XML\nXML(body)",
    "XML by default, in full": "import lxml.etree\nlxml.etree.iterparse(file)",
    "a parser that resolves entities": "from lxml import etree\netree.XMLParser(no_network=True)",
    "a parser that goes out": "from lxml.etree import XMLParser\nXMLParser(resolve_entities=False)",
    "an open parser": "from lxml import etree\n"
    "etree.XMLParser(resolve_entities=True, no_network=True)",
    "XML of the library": "import xml.etree.ElementTree as ET",
    "XML of the library, imported": "from xml.etree import ElementTree",
    "XML of the library, in a function": "def f():\n    from xml.dom.minidom import parseString",
    "the other XML of lxml": "from lxml import objectify",
}
RIGHT = {
    "mail": "smtplib.SMTP('a', 25).starttls(context=context)\nsmtplib.SMTP_SSL('a', context=c)",
    "calls": "import requests\nsession = requests.Session()\nsession.trust_env = False\n"
    "session.get(url, timeout=3, verify=ca)\n{}.get('a')",
    "pools": "import urllib3\npools = urllib3.PoolManager(cert_reqs='CERT_REQUIRED')\n"
    "pools.urlopen('GET', url, timeout=3, redirect=False)",
    "a store has sessions too": "session.get(Row, 1)\nself.session.delete(row)",
    "XML": "from lxml import etree\n"
    "parser = etree.XMLParser(resolve_entities=False, no_network=True)\n"
    "etree.fromstring(body, parser)\netree.parse(file, parser=parser)\netree.tostring(tree)",
}


@pytest.mark.parametrize("source", WRONG.values(), ids=WRONG)
def test_what_breaks_a_rule_is_named_with_its_line(source):
    [problem] = broken(source)
    line, _, words = problem.partition(": ")
    assert 1 <= int(line) <= 3
    assert words


@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT)
def test_what_keeps_them_is_let_by(source):
    assert broken(source) == []


def test_the_product_keeps_them(capsys):
    assert main(PACKAGE) == 0, capsys.readouterr().out


def test_the_check_fails_for_a_folder_with_one_bad_module(tmp_path):
    (tmp_path / "good.py").write_text(RIGHT["XML"])
    command = [sys.executable, "-m", "tests.rules", str(tmp_path)]
    assert subprocess.run(command, cwd=PACKAGE.parent).returncode == 0
    (tmp_path / "bad.py").write_text(WRONG["XML by default"])
    found = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True)
    assert found.returncode == 1
    assert found.stdout.splitlines() == [
        f"{tmp_path / 'bad.py'}:2: lxml.etree.fromstring with the default parser"
    ]


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("import yaml\nyaml.load(body)", 1),
        ("import pickle\npickle.loads(body)", 1),
        ("import ssl\nssl._create_unverified_context()", 1),
        ("x = 1", 0),
    ],
)
def test_the_published_check_that_runs_beside_it_fails_too(tmp_path, source, status):
    if find_spec("bandit") is None:
        lacking("bandit is missing: pip install 'approval[dev]'")
    (tmp_path / "module.py").write_text(source)
    command = [sys.executable, "-m", "bandit", "--quiet", "--recursive", "--severity-level",
               "medium", str(tmp_path)]  # fmt: skip
    assert subprocess.run(command, capture_output=True).returncode == status
