// Which things an event (or a request) names: its (field).subject ids and its SubjectRefs, at any
// depth.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

namespace google::protobuf {
class Descriptor;
class Message;
}

namespace taizhang {

struct Subject {
  int kind = 0;  // common.v1.SubjectKind
  std::string id;

  auto operator<=>(const Subject&) const = default;
};

// Every subject the event names, each once, the primary one first when the event has one. Empty ids
// and kind 0 do not count. Where a (field).subject stands on a DocumentRef's own id nothing special
// happens: documents are document_ids().
std::vector<Subject> subjects_of(const google::protobuf::Message& event);

// By the event's (event).subject option; kind 0 when it has none.
Subject primary_subject(const google::protobuf::Message& event);

// The field that it stands in: a string with its (field).subject kind, or a SubjectRef.
struct SubjectField {
  int number = 0;
  bool is_reference = false;
  int kind = 0;  // of a string
};
std::optional<SubjectField> primary_subject_field(const google::protobuf::Descriptor& event);

// document_id of every DocumentRef at any depth, each once, in field order.
std::vector<std::string> document_ids(const google::protobuf::Message& message);

// Whether a Sealed with content stands in it, at any depth: personal data, for makers and checkers
// only.
bool holds_personal_data(const google::protobuf::Message& message);
// Whether any message of that type can.
bool can_hold_personal_data(const google::protobuf::Descriptor& type);

// "PAYMENT", for kind SUBJECT_KIND_PAYMENT.
std::string subject_kind_name(int kind);

}  // namespace taizhang
