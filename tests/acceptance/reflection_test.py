"""A client that has no protos at all: server reflection, one command, one query, health."""

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from book import fresh_request_id
from taizhang_client import token_of

LEDGER = "990101"


class Stranger:
    """Knows an address and a token, and asks the server for the rest."""

    def __init__(self, channel):
        self.channel = channel
        self.database = ProtoReflectionDescriptorDatabase(channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def call(self, service, name, as_, /, **fields):
        method = self.pool.FindServiceByName(service).methods_by_name[name]
        request = message_factory.GetMessageClass(method.input_type)(**fields)
        answer = message_factory.GetMessageClass(method.output_type)
        stub = self.channel.unary_unary(f"/{service}/{name}", request_serializer=type(request).SerializeToString,
                                        response_deserializer=answer.FromString)
        metadata = [("authorization", f"Bearer {token_of(as_)}")] if as_ else None
        return stub(request, timeout=60, metadata=metadata)


@pytest.fixture(scope="module")
def stranger(client):
    return Stranger(client.channel)


@pytest.fixture(scope="module")
def operator(client):
    return Stranger(client.admin_channel)


def test_reflection_lists_every_service(stranger):
    services = set(stranger.database.get_services())
    assert services >= {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert services >= {f"taizhang.{name}" for name in (
        "rules.v1.RulesService", "registry.v1.RegistryService",
        "assistance.v1.AssistanceService", "funds.v1.FundsService", "assets.v1.AssetsService",
        "ledger.v1.LedgerService", "ledger.v1.CommandService", "household_file.v1.HouseholdFileService",
        "duties.v1.DutiesService", "fund_execution.v1.FundExecutionService",
        "asset_register.v1.AssetRegisterService", "history.v1.HistoryService")}
    # What is stored and not public is not told; operators have an address of their own.
    assert not [service for service in services if "journal" in service or "state" in service or "admin" in service]


def test_operators_find_only_their_service_at_their_address(operator, stranger):
    assert set(operator.database.get_services()) == {
        "taizhang.admin.v1.AdminService", "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert operator.call("taizhang.admin.v1.AdminService", "GetStatus", "operator").views
    assert operator.call("grpc.health.v1.Health", "Check", None, service="").status == 1
    with pytest.raises(grpc.RpcError) as elsewhere:
        Stranger.call(Redirected(operator, stranger.channel), "taizhang.admin.v1.AdminService", "GetStatus", "operator")
    assert elsewhere.value.code() == grpc.StatusCode.UNIMPLEMENTED


class Redirected:
    """Calls over one channel what another one's reflection described."""

    def __init__(self, described, channel):
        self.pool = described.pool
        self.channel = channel


def test_one_command_and_one_query(stranger, operator):
    day = {"year": 2012, "month": 1, "day": 1}
    kind = stranger.pool.FindEnumTypeByName("taizhang.common.v1.LedgerKind").values_by_name["LEDGER_KIND_COUNTY"].number
    form = stranger.pool.FindMessageTypeByName("taizhang.common.v1.Source").enum_types_by_name["Kind"]
    context = {"request_id": fresh_request_id(), "effective_date": day,
               "source": {"kind": form.values_by_name["KIND_FORM"].number, "note": "synthetic"}}
    opened = operator.call("taizhang.admin.v1.AdminService", "OpenLedger", "operator", context=context, ledger=LEDGER,
                           kind=kind, name="示例县")
    assert opened.receipt.first_seq == 1 and list(opened.receipt.event_ids) == [f"{LEDGER}/1"]
    read = stranger.call("taizhang.ledger.v1.LedgerService", "ReadEvents", "reader", ledger=LEDGER,
                         read={"at_least_seq": 1})
    event = read.events[0]
    assert event.type == "taizhang.ledger.v1.LedgerFounded"
    founded = message_factory.GetMessageClass(stranger.pool.FindMessageTypeByName(event.type)).FromString(event.payload)
    assert (founded.ledger, founded.name) == (LEDGER, "示例县")


def test_a_refusal_is_readable_without_protos(stranger):
    with pytest.raises(grpc.RpcError) as refused:
        stranger.call("taizhang.ledger.v1.LedgerService", "ReadEvents", "reader", ledger="99")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "ledger" in refused.value.details()


def test_what_a_refusal_means_stands_in_the_descriptors(stranger):
    file = stranger.pool.FindFileByName("taizhang/assistance/v1/errors.proto")
    stranger.pool.FindFileByName("taizhang/options.proto")
    value = file.enum_types_by_name["AssistanceRefusal"].values_by_name["ASSISTANCE_REFUSAL_NOT_LIFTED"]
    text = stranger.pool.FindExtensionByName("taizhang.zh")
    assert "脱贫" in value.GetOptions().SerializeToString().decode("utf-8", "ignore") and text.number == 51007


def test_health(stranger, client):
    for service in ("", "taizhang.funds.v1.FundsService", "taizhang.duties.v1.DutiesService"):
        answer = stranger.call("grpc.health.v1.Health", "Check", None, service=service)
        assert answer.status == 1, service
    with pytest.raises(grpc.RpcError) as unknown:
        stranger.call("grpc.health.v1.Health", "Check", None, service="no.such.Service")
    assert unknown.value.code() == grpc.StatusCode.NOT_FOUND
