// The writer alone, one thread, journal in memory: what a command costs without transport and disk. For profilers:
//   valgrind --tool=callgrind decide_bench REFERENCE 2000
#include <google/protobuf/descriptor.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "platform/command/command_front.h"
#include "platform/command/writer.h"
#include "platform/journal/memory/memory_log.h"
#include "services/contexts.h"
#include "taizhang/common/v1/enums.pb.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

std::string dotted(const std::string& method) {
  std::string name = method.substr(1);
  name[name.find('/')] = '.';
  return name;
}

int run(const char* reference, int count) {
  const std::string folder = "/tmp/taizhang-decide." + std::to_string(getpid());
  auto state = State::open(folder, {});
  if (!state.ok()) return 1;
  Registry registry;
  register_contexts(registry);
  const CommandCatalogue catalogue(registry);
  journal::MemoryLog log(std::make_shared<journal::MemoryTopic>(), true);
  const BlindIndex blind = [](std::string_view number) { return blind_index_of("key", number); };
  WriterSettings settings;
  settings.owner.create = true;
  Writer writer(log, system_clock(), system_random(), registry, **state, blind, "k", settings);
  if (!writer.start().ok()) return 1;
  const Fingerprinter fingerprinter(std::string(32, 'k'), "k");
  Dispatcher dispatcher;
  serve_commands(catalogue, fingerprinter, writer, dispatcher);
  Caller caller;
  caller.subject = "bench";
  caller.roles = {common::v1::ROLE_MAKER, common::v1::ROLE_OPERATOR};
  caller.regions = {""};
  int64_t refused = 0;
  const auto send = [&](const std::string& method, const std::string& bytes) {
    const auto* descriptor = DescriptorPool::generated_pool()->FindMethodByName(dotted(method));
    std::shared_ptr<Message> request(
        MessageFactory::generated_factory()->GetPrototype(descriptor->input_type())->New());
    request->ParseFromString(bytes);
    Call call;
    call.caller = &caller;
    call.deadline_boot_us = system_clock().boot_us() + 60'000'000;
    dispatcher.unary(*descriptor, call, request, [&refused](Answer answer) {
      if (const auto* error = std::get_if<Error>(&answer)) {
        if (refused++ == 0) fprintf(stderr, "%s\n", error->message.c_str());
      } else {
        std::get<std::unique_ptr<Message>>(answer)->SerializeAsString();
      }
    });
  };
  for (const auto& step : setting_up(reference)) {
    send(step.method, step.bytes);
    while (writer.step()) {
    }
  }
  for (int i = 0; i < std::min(count, kHouseholds); ++i) {
    send("/taizhang.registry.v1.RegistryService/RegisterHousehold", register_household(i));
    if (i % 64 == 63) writer.step();
  }
  while (writer.step()) {
  }
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    const auto command = mixed_command(0, i);
    send(command.method, command.bytes);
    if (i % 64 == 63) writer.step();
  }
  while (writer.step()) {
  }
  const double us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  printf("%d mixed commands, %lld refused: %.1f us each\n", count, static_cast<long long>(refused), us / count);
  writer.stop();
  state->reset();
  std::filesystem::remove_all(folder);
  return refused == 0 ? 0 : 1;
}

}  // namespace
}  // namespace taizhang::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: decide_bench REFERENCE_FILE COUNT\n");
    return 2;
  }
  return taizhang::bench::run(argv[1], atoi(argv[2]));
}
