// Every command: how it is called and what its help says.
#include "apps/taizhang/command.h"

namespace taizhang::cli {
namespace {

constexpr Option kLimit = {"--limit", "N", "rows at most, 0: all (default 100)"};
constexpr Option kServerConfig = {"--config", "FILE", "settings of taizhangd"};
constexpr Option kViewVersion = {"--version", "N", "this version (default: the one that answers)"};
constexpr Option kDecisionReason = {"--reason", "TEXT", "why; recorded with the decision"};
constexpr Option kRegion = {"--region", "CODE", "only of this region"};

// --limit and what is special to a list.
std::vector<Option> list_of(std::vector<Option> own) {
  own.push_back(kLimit);
  const auto& moment = moment_options();
  own.insert(own.end(), moment.begin(), moment.end());
  return own;
}

std::vector<Option> moment_and(std::vector<Option> own) {
  const auto& moment = moment_options();
  own.insert(own.end(), moment.begin(), moment.end());
  return own;
}

std::vector<Command> make_commands() {
  return {
      {"apply",
       "FILE",
       "send the commands of a file, line by line",
       R"(A line is {"as": "maker", "method": "funds.SpendDirectly", "request": {…}}; `as` names a profile of the settings.
${LEDGER} in a line stands for --ledger. Every line is read before the first is sent. Request ids make a file
repeatable: what was answered before is a duplicate and changes nothing. FILE - is the standard input.

Many lines in a row of one profile go over the bulk stream, in their order; each has its own answer. Behind a refused
line nothing more is sent, but up to 400 lines may be under way already and are decided: the counts say what became of
them. --unary waits for the answer of each line before it sends the next.

  taizhang apply deploy/sample.jsonl --ledger 990101
  taizhang apply import.jsonl --keep-going --json)",
       {{"--keep-going", "", "go on behind a refused line"},
        {"--unary", "", "one line at a time, not over the bulk stream"},
        {"--retries", "N", "how often an unavailable server is tried again (default 5)"}},
       run_apply},
      {"call",
       "METHOD [JSON]",
       "call any method with a request in JSON",
       R"(JSON - reads the standard input; without JSON the request is empty. A missing ledger is that of --ledger, a missing
request_id of a command is made. int64 is a string in the answer. Streams print a line for each message.

  taizhang call fund_execution.BySource '{"source_kind": "SOURCE_KIND_SELF_RAISED"}'
  taizhang call funds.SpendDirectly - --as maker <request.json
  taizhang call ledger.GetOutcome '{"request_id": "cfe62826-6b87-551b-9a9d-b38d2002745d"}')",
       {},
       run_call},
      {"export",
       "QUERY [JSON]",
       "every row of a list as CSV or JSON lines",
       R"(QUERY is any query that answers in pages, JSON its request as for `call`. All rows are of one moment. With --out the
file appears when it is complete, and FILE.meta.json says seq, rows and digest; until then FILE.part holds what has
arrived. When an export breaks (exit code 3), the same command with --resume goes on and gives the same bytes.

CSV: a column for each value, named by its path; dates as 2017-08-15, money in fen, lists as JSON; lines end in CR LF. A
text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage return, and is no number)
gets an apostrophe in front; --raw leaves it as it is.

  taizhang export household_file.Households --out households.csv --bom
  taizhang export fund_execution.ByVillage '{"village": "990101100202"}' --on 2017-12-31 --format jsonl
  taizhang export duties.Visits --out visits.csv --resume)",
       moment_and({{"--format", "csv|jsonl", "CSV (default), or one row in JSON a line"},
                   {"--out", "FILE", "into a file instead of the standard output"},
                   {"--resume", "", "go on with the part of --out"},
                   {"--bom", "", "a byte order mark in front, by which Excel knows UTF-8"},
                   {"--raw", "", "no apostrophe in front of formulas"},
                   {"--rows-per-message", "N", "rows the server sends at once, 1 to 1000 (default 1000)"}}),
       run_export},
      {"diff",
       "QUERY [JSON]",
       "what changed in a list, or in one thing, between two moments",
       R"(QUERY is any query, JSON its request as for `call`. A moment is a seq, a time, or a date: the end of that day in
+08:00, as the book stood then. Rows are matched by their place in the list; each difference names who made it, when and
why.

  taizhang diff household_file.Households '{"region": "990101100202"}' --since 2026-03-31
  taizhang diff fund_execution.BySource --since 300 --until 397 --on 2017-12-31
  taizhang diff asset_register.Card '{"asset_id": "05c0…"}' --since 2026-03-31T10:00:00+08:00 --json)",
       {{"--since", "MOMENT", "the earlier moment"},
        {"--until", "MOMENT", "the later one (default: the newest)"},
        {"--on", "DATE", "what was true that day, at both (default today)"}},
       run_diff},
      {"gather",
       "QUERY [JSON]",
       "one query to many ledgers",
       R"(QUERY is any query, JSON its request as for `call`, without a ledger. Rows are JSON lines with their ledger; how each
ledger answered, as of when, and which reader was asked for it, stands in a table on the standard error. The exit code is
3 when one did not answer, or a reader did not say which ledgers it holds.

  taizhang gather household_file.CountHouseholds --prefix 61
  taizhang gather fund_execution.BySource --ledgers 610328,610329 --on 2017-12-31 --by-row)",
       moment_and({{"--ledgers", "CODES", "with commas between them (default: all that this caller may enter)"},
                   {"--prefix", "CODE", "only ledgers whose code begins so"},
                   {"--by-row", "", "rows of all ledgers in the order of the list, not ledger by ledger"}}),
       run_gather},
      {"household show", "HOUSEHOLD_ID", "a household's page",
       "  taizhang household show d3b1… --on 2017-12-31\n  taizhang household show d3b1… "
       "--timeline",
       moment_and({{"--timeline", "", "what happened, instead of the page"}}), run_household_show},
      {"household list", "", "households of a region",
       "  taizhang household list --region 990101100202 --status LIFTED --on 2017-12-31",
       list_of({kRegion, {"--status", "CODE", "only of this status"}}), run_household_list},
      {"household history", "HOUSEHOLD_ID", "who changed a household, when, why",
       "  taizhang household history d3b1…", list_of({}), run_household_history},
      {"fund show", "FUND_LINE_ID", "a fund line: its figures and its progress against the plan",
       "  taizhang fund show 6a13… --on 2017-04-30\n  taizhang fund show 6a13… --as-of-seq 120",
       moment_options(), run_fund_show},
      {"fund list", "", "fund lines by source, with totals",
       "  taizhang fund list --source SELF_RAISED\n  taizhang fund list --by-village --on "
       "2017-12-31",
       list_of({{"--source", "KIND", "only of this source: SELF_RAISED, SPECIAL_HELP_FUND …"},
                {"--by-village", "", "what was paid for which village"}}),
       run_fund_list},
      {"fund history", "FUND_LINE_ID",
       "how each figure came about: who, when, why, from which document",
       "  taizhang fund history 6a13…\n  taizhang fund history 6a13… --figure paid",
       list_of({{"--figure", "NAME",
                 "only what changed it: budgeted, planned, arrived, allocated, committed, paid, "
                 "balance"}}),
       run_fund_history},
      {"asset show", "ASSET_ID", "an asset's card", "  taizhang asset show 05c0…", moment_options(),
       run_asset_show},
      {"asset list", "", "the register of assets",
       "  taizhang asset list --state HANDED_OVER\n  taizhang asset list --late-title --on "
       "2018-04-01",
       list_of({kRegion,
                {"--state", "STATE", "FORMED, CHECKED, TITLED, OFFERED, HANDED_OVER"},
                {"--year", "YEAR", "formed in this year"},
                {"--late-title", "", "only those titled late or overdue"},
                {"--without-manager", "", "only those that lack their manager"}}),
       run_asset_list},
      {"asset history", "ASSET_ID", "who changed an asset, when, why",
       "  taizhang asset history 05c0…", list_of({}), run_asset_history},
      {"visit show", "VISIT_ID", "a visit", "  taizhang visit show 1f0e…", moment_options(),
       run_visit_show},
      {"visit list", "", "visits, and what is still owed",
       "  taizhang visit list --household d3b1… --from 2017-06-01\n  taizhang visit list --overdue "
       "--on 2017-10-01",
       list_of({{"--household", "ID", "visits to this household"},
                {"--worker", "ID", "visits this worker made"},
                {"--from", "DATE", "first day"},
                {"--to", "DATE", "last day"},
                {"--due", "", "obligations still open in the period of --on"},
                {"--overdue", "", "obligations missed in the last period before --on"}}),
       run_visit_list},
      {"visit history", "VISIT_ID", "who recorded or voided a visit, when, why",
       "  taizhang visit history 1f0e…", list_of({}), run_visit_history},
      {"events read", "", "the events of a ledger",
       "  taizhang events read --from 60 --limit 5\n"
       "  taizhang events read --subject FUND_LINE/6a13… --type funds.v1.FundsArrived --payload",
       list_of({{"--from", "SEQ", "first seq"},
                {"--to", "SEQ", "last seq"},
                {"--backward", "", "newest first"},
                {"--type", "TYPE", "only this event type"},
                {"--subject", "KIND/ID", "only events that name this thing"},
                {"--payload", "", "with the content of each event"}}),
       run_events_read},
      {"events follow",
       "",
       "events as they are recorded, until interrupted",
       "  taizhang events follow --after 300\n  taizhang events follow --count 10 --json",
       {{"--after", "SEQ", "events after this one (default 0: all)"},
        {"--count", "N", "end after so many"},
        {"--type", "TYPE", "only this event type"},
        {"--subject", "KIND/ID", "only events that name this thing"},
        {"--payload", "", "with the content of each event"}},
       run_events_follow},
      {"events export",
       "",
       "the events of a ledger into a file that can be checked without us",
       R"(The file holds every commit as it is stored, the schemas to read them, and a chain of digests; docs/formats.md gives
each byte, docs/auditors a reader in Python. Whoever is neither maker nor checker gets events with personal data without
their content, marked so. Until it is whole the file is called FILE.part; when the export is stopped, the same command
goes on where it stood. Note the head: it stands for everything in the file.

  taizhang events export --ledger 990101 --out 990101.events
  taizhang events export --to 2026-11-23T10:00:00+08:00 --out 990101.events)",
       {{"--to", "SEQ|TIME", "until the commit that holds this event, or that was the last then or on that day (default: all)"},
        {"--out", "FILE", "must not exist yet"}},
       run_events_export},
      {"events check",
       "FILE",
       "read every byte of an export and check its chain",
       "Names the frame and the byte where something was changed, moved or cut off. Asks no server.\n\n"
       "  taizhang events check 990101.events",
       {},
       run_events_check},
      {"subscription create",
       "NAME",
       "let consumers share the events of a ledger under a name",
       "The server keeps the position. Equal to what is there: nothing happens.\n\n"
       "  taizhang subscription create to.province --type registry.v1.HouseholdRegistered\n"
       "  taizhang subscription create to.bank --context funds --from-now --attempts 10",
       {{"--type", "TYPE", "only this event type"},
        {"--context", "CONTEXT", "only events of this context: funds, registry …"},
        {"--subject", "KIND/ID", "only events that name this thing"},
        {"--after", "SEQ", "begin after this event (default 0: with the first)"},
        {"--from-now", "", "begin after everything that is there"},
        {"--attempts", "N", "deliveries of an event before its subject is parked (default 5)"},
        {"--ack-deadline", "MS", "until it is delivered again (default 30000)"},
        {"--outstanding", "N", "events delivered and not handled, at most (default 256)"},
        {"--request-id", "UUID", "of the command (default: a new one)"}},
       run_subscription_create},
      {"subscription list",
       "",
       "the subscriptions of a ledger, and how far they are",
       "  taizhang subscription list --ledger 990101",
       {{"--at-least-event", "ID", "wait until this event id of an answer is held"}},
       run_subscription_list},
      {"subscription show",
       "NAME",
       "position, backlog and parked subjects of a subscription",
       "  taizhang subscription show to.province",
       {{"--at-least-event", "ID", "wait until this event id of an answer is held"}},
       run_subscription_show},
      {"subscription receive",
       "NAME",
       "take events that wait for a consumer, until interrupted",
       "What is not acknowledged when this ends is delivered again, to whomever.\n\n"
       "  taizhang subscription receive to.province --ack\n"
       "  taizhang subscription receive to.province --count 1 --json",
       {{"--count", "N", "end after so many events"},
        {"--until-caught-up", "", "end when nothing waits any more"},
        {"--ack", "", "acknowledge what was printed"},
        {"--payload", "", "with the content of each event"}},
       run_subscription_receive},
      {"subscription ack",
       "NAME [SEQS]",
       "acknowledge events that were handled",
       "  taizhang subscription ack to.province 17,19\n"
       "  taizhang subscription ack to.province --up-to 40",
       {{"--up-to", "SEQ", "everything up to this event that is delivered and under way"}},
       run_subscription_ack},
      {"subscription retry",
       "NAME SEQS",
       "have events delivered again, now or later",
       "  taizhang subscription retry to.province 17 --delay 60000",
       {{"--delay", "MS", "not before so many milliseconds (default 0)"}},
       run_subscription_retry},
      {"subscription park",
       "NAME SUBJECT SEQ",
       "keep back an event and the later ones of its subject",
       "  taizhang subscription park to.province HOUSEHOLD/6a13651f-9ec1-5b30-9c59-d34ab44645bd 17 "
       "--reason '接收方无法识别'",
       {{"--reason", "TEXT", "why; required"},
        {"--request-id", "UUID", "of the command (default: a new one)"}},
       run_subscription_park},
      {"subscription replay",
       "NAME SUBJECT",
       "deliver what was kept back of a subject, in order",
       "  taizhang subscription replay to.province HOUSEHOLD/6a13651f-9ec1-5b30-9c59-d34ab44645bd",
       {{"--request-id", "UUID", "of the command (default: a new one)"}},
       run_subscription_replay},
      {"subscription skip",
       "NAME SEQ",
       "give an event up, for ever",
       "Of a parked subject the event it waits at; the subject stays parked.\n\n"
       "  taizhang subscription skip to.province 17 --reason '已电话告知'",
       {{"--reason", "TEXT", "why; required"},
        {"--request-id", "UUID", "of the command (default: a new one)"}},
       run_subscription_skip},
      {"subscription delete",
       "NAME",
       "forget a subscription and where it stood",
       "  taizhang subscription delete to.province",
       {{"--request-id", "UUID", "of the command (default: a new one)"}},
       run_subscription_delete},
      {"replay",
       "",
       "fold a view again on this machine and compare it with the server's",
       R"(Takes the events from the server, or from an export, folds them with the same code, and compares every row version of
the view at that moment with the server's. Exit code 5 and the first differing row when they are not the same. Files are
made under $TMPDIR and removed.

  taizhang replay --view fund_execution --to 400
  taizhang replay --view fund_execution --from 990101.events
  taizhang replay --view fund_execution --from 990101.events --offline --show line_months)",
       {{"--view", "VIEW", "the view"},
        {"--to", "SEQ|TIME", "as of this event, time or end of a day (default: all there is)"},
        {"--from", "FILE", "an export, instead of the server's events"},
        {"--offline", "", "with --from: do not ask a server, only tell the digest"},
        {"--show", "ROW", "the rows as JSON lines instead: a table, or TABLE/KEY/…"}},
       run_replay},
      {"explain",
       "VIEW [ROW] [FIELD]",
       "why a figure stands in a view: the events that made it",
       R"(Without FIELD: the tables of the view, their keys and fields. ROW is TABLE/KEY/…; a key that ends early means the sum
over all rows that begin so. FIELD is a field's path, a figure's name, count (rows), or numbers joined by + and -.
Each event is told with what it added, who, when, why and from which document; the amounts must add up to the figure as
it stands in the rows, or this is an error (exit code 5). Facts of every date count, or with --on what counts or holds on
that day: sums by month or day and dated facts up to it, entries that hold from day to day, count of rows that do. A field
whose rows say no days is refused.

  taizhang explain fund_execution
  taizhang explain fund_execution line_months/6a13… balance_fen --as-of-seq 400
  taizhang explain fund_execution line_months/6a13… balance_fen --on 2017-04-30
  taizhang explain household_file household/a000… statuses.status --on 2016-12-30
  taizhang explain household_file by_place/990101100/990101100202 count
  taizhang explain fund_execution line_months/6a13… paid_fen --from 990101.events)",
       {{"--after", "SEQ", "tell only the events after this one, the others as one sum"},
        {"--limit", "N", "tell the newest N at most, 1 to 2000 (default 1000), the others as one sum"},
        {"--as-of-seq", "SEQ", "what the book said when this event was its last"},
        {"--as-of-time", "TIME", "what the book said then: 2026-11-23T10:00:00+08:00, or a day, at its end"},
        {"--on", "DATE", "what counts or holds on this day"},
        {"--at-least-seq", "SEQ", "wait until the view holds this event"},
        {"--from", "FILE", "fold the view from an export, ask no server"}},
       run_explain},
      {"ledger open",
       "CODE",
       "open a ledger",
       "  taizhang ledger open 990101 --kind COUNTY --name 示例县 --on 2012-01-01",
       {{"--kind", "KIND", "COUNTY (default), PREFECTURE or PROVINCE"},
        {"--name", "NAME", "name of the ledger"},
        {"--on", "DATE",
         "the day it is opened as of (default today); the same again must name the same day"},
        {"--request-id", "UUID", "id of the request; made when it is not given"}},
       run_ledger_open},
      {"ledger status",
       "",
       "the ledgers, journal and writer",
       "  taizhang ledger status",
       {},
       run_ledger_status},
      {"view status",
       "",
       "how far each view is, which version of it answers",
       "The exit code is 5 when a view or one of its ledgers stands still.\n\n  taizhang view status",
       {},
       run_view_status},
      {"view rebuild",
       "VIEW",
       "delete what a view holds and fold everything again",
       "Until it has caught up the view answers UNAVAILABLE.\n\n  taizhang view rebuild duties",
       {kViewVersion},
       run_view_rebuild},
      {"view verify",
       "VIEW",
       "fold again beside the view and compare every row version",
       R"(Names the first difference: of those with the lowest seq the first row, and which of its fields differ. Files that are
found damaged are made again by the server itself.

  taizhang view verify fund_execution
  taizhang view verify fund_execution --ledger 990101 --at 400)",
       {kViewVersion, {"--at", "SEQ", "as of this seq of --ledger"}},
       run_view_verify},
      {"view digest",
       "VIEW",
       "digests of what a view holds, to compare servers",
       "With the same seq of a ledger, every server's digest of a view is the same.\n\n"
       "  taizhang view digest duties --ledger 990101",
       {kViewVersion, {"--seq", "SEQ", "as of this seq of --ledger, which reads all of its rows"}},
       run_view_digest},
      {"view compare",
       "VIEW",
       "two versions of a view beside each other, table by table",
       R"(Each ledger at the last seq that both hold. The exit code is 5 when rows differ, as they may where a new version is
meant to differ.

  taizhang view compare duties --version 1 --with 2
  taizhang view compare duties --version 1 --with 2 --ledger 990101 --at 400)",
       {{"--version", "N", "the one"},
        {"--with", "N", "the other"},
        {"--at", "SEQ", "as of this seq of --ledger"}},
       run_view_compare},
      {"view switch",
       "VIEW",
       "have another version of a view answer",
       R"(The decision is recorded and every server follows it, each as soon as the version is built there; the other versions
stay for going back. Open lists end: their page tokens are of the version that made them.

  taizhang view switch duties --to 2 --reason "compared on 2026-11-23, equal")",
       {{"--to", "N", "the version that is to answer"},
        kDecisionReason,
        {"--request-id", "UUID", "id of the request; made when it is not given"}},
       run_view_switch},
      {"view skip",
       "VIEW",
       "have a view pass over an event that it cannot understand",
       R"(An event at which the view stands still; an upgrade that understands it is better. Recorded for ever, in every server
and every rebuild. With --folded also an event that the view has folded: it is built anew without it.

  taizhang view skip duties --ledger 990101 --seq 404 --reason "written by a test program")",
       {{"--seq", "SEQ", "the event"},
        {"--folded", "", "also where the view does not stand still"},
        kDecisionReason,
        {"--version", "N", "only in this version of the view (default: in all)"},
        {"--request-id", "UUID", "id of the request; made when it is not given"}},
       run_view_skip},
      {"view drop",
       "VIEW",
       "delete the files of a version that does not answer",
       "In this server. `view rebuild` makes them again.\n\n  taizhang view drop duties --version 1",
       {{"--version", "N", "the version"}},
       run_view_drop},
      {"journal verify",
       "DIR",
       "read every byte of a journal offline",
       R"(DIR is the data folder or its journal folder. Takes no lock and changes nothing, so it may run beside the server.

  taizhang journal verify .taizhang/data)",
       {},
       run_journal_verify},
      {"journal create",
       "",
       "make the Kafka topics of a journal",
       R"(Makes the journal topic and its heartbeat topic as the settings of taizhangd ask, then checks them. What is there
is never altered, so it may be run again.

  taizhang journal create --config /etc/taizhang/taizhangd.textproto)",
       {kServerConfig,
        {"--partitions", "N", "of the journal topic, for ever (default: the settings')"}},
       run_journal_create},
      {"journal check",
       "",
       "check the Kafka topics of a journal",
       R"(Each setting with its value and what it must be. Exit code 1 when one is bad: taizhangd refuses such a topic.

  taizhang journal check --config /etc/taizhang/taizhangd.textproto)",
       {kServerConfig},
       run_journal_check},
      {"doctor",
       "",
       "check settings, tokens, server, disk and clock",
       "  taizhang doctor --server-config .taizhang/taizhangd.textproto",
       {{"--server-config", "FILE", "also check the server's settings, tokens, port and disk"}},
       run_doctor},
      {"completion",
       "bash",
       "print completion for a shell",
       "  source <(taizhang completion bash)",
       {},
       run_completion},
  };
}

}  // namespace

const std::vector<Command>& commands() {
  static const auto* const all = new std::vector<Command>(make_commands());
  return *all;
}

}  // namespace taizhang::cli
