// A table by method of what each version has for it, looked into at every call.
#include "platform/projection/view_routes.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "platform/projection/view_service.h"

namespace taizhang::projection {
namespace {

// By method, for each version of the view its plan, or null.
std::map<std::string, std::vector<const QueryPlan*>> plans_of(const ViewVersions& versions) {
  std::map<std::string, std::vector<const QueryPlan*>> plans;
  const size_t count = versions.all().size();
  for (size_t i = 0; i < count; ++i) {
    for (const auto& plan : versions.all()[i]->plans()) {
      if (is_common(plan->name())) continue;
      auto& of_method = plans[plan->name()];
      of_method.resize(count);
      of_method[i] = plan.get();
    }
  }
  return plans;
}

std::map<std::string, std::vector<const View::Method*>> streams_of(const ViewVersions& versions) {
  std::map<std::string, std::vector<const View::Method*>> streams;
  const size_t count = versions.all().size();
  for (size_t i = 0; i < count; ++i) {
    for (const auto& method : versions.all()[i]->view().methods()) {
      if (!method.stream) continue;
      auto& of_method = streams[method.descriptor->full_name()];
      of_method.resize(count);
      of_method[i] = &method;
    }
  }
  return streams;
}

}  // namespace

void serve_view(const ViewVersions& view, Dispatcher& dispatcher) {
  const ViewVersions* versions = &view;
  for (const auto& [name, plans] : plans_of(view)) {
    dispatcher.handle(name, [versions, name, plans](const Call& call, auto request, Done done) {
      const size_t live = versions->live_place();
      if (!plans[live]) return done(not_served(name));
      versions->all()[live]->ask(*plans[live], call, std::move(request), std::move(done));
    });
  }
  for (const auto& [name, methods] : streams_of(view)) {
    dispatcher.handle_stream(
        name,
        [versions, name, methods](
            const Call& call, auto request) -> std::variant<std::unique_ptr<ServerStream>, Error> {
          const size_t live = versions->live_place();
          if (!methods[live]) return not_served(name);
          return methods[live]->stream(versions->all()[live], call, std::move(request));
        });
  }
}

Error not_served(std::string_view method) {
  return failure(kUnimplemented, "METHOD_NOT_SERVED",
                 std::string(method) + " is not a query of any view");
}

}  // namespace taizhang::projection
