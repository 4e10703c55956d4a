// What of a view's rows can be explained.
#include <google/protobuf/descriptor.h>

#include <utility>

#include "platform/projection/explain.h"
#include "platform/projection/formula.h"
#include "platform/projection/view_tables.h"
#include "taizhang/views/v1/service.pb.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Message;

constexpr int kFirstRowsMax = 3;

}  // namespace

Answer list_tables(const std::string& view, const std::vector<View::Figure>& figures,
                   const Snapshot& snapshot) {
  auto response = std::make_unique<views::v1::ListTablesResponse>();
  for (const auto* table : tables_of(view)) {
    auto& out = *response->add_tables();
    const auto& row = *table->prototype->GetDescriptor();
    out.set_name(table->name);
    for (const auto* field : table->key_fields) out.add_key_fields(field->name());
    const auto add = [&](const std::string& name, bool is_number, const std::string& formula) {
      auto& field = *out.add_fields();
      field.set_name(name);
      field.set_is_number(is_number);
      field.set_formula(formula);
    };
    for (const auto& path : field_paths(row)) add(path.path, path.is_number, "");
    add(std::string(Formula::kCount), true, "");
    for (const auto& figure : figures) {
      if (figure.row == &row) add(figure.name, true, figure.formula);
    }
    snapshot.rows().scan(*table, {}, {}, [&](std::string_view key, const Message&) {
      auto& first = *out.add_first_rows();
      for (auto& part : key_text(*table, key)) first.add_parts(std::move(part));
      return out.first_rows_size() < kFirstRowsMax;
    });
  }
  return response;
}

}  // namespace taizhang::projection
