import pytest

from approval.platforms.abiquo import hrefs
from approval.platforms.abiquo.hrefs import HrefError, path_of, shaped

VM = "cloud/virtualdatacenters/3/virtualappliances/8/virtualmachines/42"


@pytest.mark.parametrize(
    ("href", "root"),
    [
        (f"https://cloud.example.com/api/{VM}", "/api"),
        (f"http://localhost/api/{VM}", "/api"),
        (f"https://other.host:8443/api/{VM}", "/api"),
        (f"http://[::1]:8080/api/{VM}", "/api"),
        (f"/api/{VM}", "/api"),
        (f"/{VM}", "/api"),
        (VM, "/api"),
        (f"https://gate/some/prefix/api/{VM}", "/some/prefix/api"),
        (f"http://localhost/api/{VM}", "/some/prefix/api"),  # it does not know the proxy's path
        (f"/some/prefix/api/{VM}", "/some/prefix/api"),
        (f"https://api.example.com/{VM}", ""),
    ],
)
def test_every_form_leads_to_the_path_below_the_api(href, root):
    assert path_of(href, root) == VM


@pytest.mark.parametrize(
    "href",
    [
        "",
        "/",
        "/api/",
        "https://cloud.example.com",
        "https://cloud.example.com/api",
        f"https://cloud.example.com/{VM}",
        f"https://cloud.example.com/apis/{VM}",
        f"https://user@cloud.example.com/api/{VM}",
        f"https://user:pass@cloud.example.com/api/{VM}",
        f"https://cloud.example.com:port/api/{VM}",
        f"https://cloud.example.com\\@evil/api/{VM}",
        f"https:/api/{VM}",
        f"https:///api/{VM}",
        f"//evil.example.com/api/{VM}",
        f"//{VM}",
        f"/api//{VM}",
        f"/api/api//{VM}",
        f"ftp://cloud.example.com/api/{VM}",
        f"file:///api/{VM}",
        f"javascript:/api/{VM}",
        f"/api/{VM}?limit=1",
        f"/api/{VM}#x",
        f"/api/{VM};a=b",
        f"/api/{VM}/",
        f"/api/../{VM}",
        f"/api/cloud/./{VM}",
        f"/api/{VM}/..",
        f"/api/%2e%2e/{VM}",
        "/api/cloud%2Fvirtualdatacenters",
        f"/api/{VM}\\..",
        f"/api/{VM}\n",
        f" /api/{VM}",
        f"/api/{VM}\x00",
        f"/api/{VM}\u2028",
        "/api/cloud/virtualdatacenters/３",
        "/api/cloud/ä",
        "/api/" + "a/" * 300 + "a",
    ],
)
def test_anything_else_is_refused(href):
    with pytest.raises(HrefError):
        path_of(href, "/api")


@pytest.mark.parametrize(
    ("href", "shape"),
    [
        (VM, hrefs.USER),
        (f"{VM}/tasks/1", hrefs.MACHINE),
        (f"api/{VM}", hrefs.MACHINE),
        ("cloud/virtualdatacenters/x/virtualappliances/8/virtualmachines/42", hrefs.MACHINE),
        (f"cloud/virtualdatacenters/{'1' * 20}", hrefs.DATACENTER),
        ("admin/enterprises/2", hrefs.USER),
        ("admin/enterprises/_/users/7", hrefs.USER),
        ("admin/enterprises/2/users/7/action/x", hrefs.USER),
    ],
)
def test_a_path_must_have_the_shape_of_its_rel(href, shape):
    with pytest.raises(HrefError):
        shaped(href, shape, "/api")


@pytest.mark.parametrize("id", ["", ".", "..", "a/b", "a b", "ü", "x" * 65, "a\n", "a%41"])
def test_a_task_id_fits_into_a_path(id):
    assert not hrefs.TASK_ID.fullmatch(id)


def test_an_uuid_is_a_task_id():
    assert hrefs.TASK_ID.fullmatch("d8113ffd-c3d9-4834-8b3c-1b51736c9b8b")
