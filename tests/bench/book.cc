// A book in process.
#include "tests/bench/book.h"

#include <google/protobuf/descriptor.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "services/contexts.h"
#include "taizhang/common/v1/enums.pb.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

Book::Book(journal::Log& log, const std::string& state_folder, const std::string& reference_file)
    : folder_(state_folder),
      blind_index_([](std::string_view number) { return blind_index_of("key", number); }) {
  auto state = State::open(folder_, {});
  if (!state.ok()) exit(1);
  state_ = *std::move(state);
  register_contexts(registry_);
  catalogue_ = std::make_unique<CommandCatalogue>(registry_);
  WriterSettings settings;
  settings.owner.create = true;
  writer_ = std::make_unique<Writer>(log, system_clock(), system_random(), registry_, *state_,
                                     blind_index_, "k", settings);
  const int64_t before_us = system_clock().boot_us();
  if (!writer_->start().ok()) exit(1);
  start_seconds_ = static_cast<double>(system_clock().boot_us() - before_us) / 1e6;
  serve_commands(*catalogue_, fingerprinter_, *writer_, dispatcher_);
  caller_.subject = "bench";
  caller_.roles = {common::v1::ROLE_MAKER, common::v1::ROLE_OPERATOR};
  caller_.regions = {""};
  for (const auto& command : setting_up(reference_file)) {
    send(command.method, command.bytes);
    settle();
  }
}

Book::~Book() {
  writer_->stop();
  writer_.reset();
  state_.reset();
  std::filesystem::remove_all(folder_);
}

void Book::send(const std::string& method, const std::string& bytes) {
  std::string name = method.substr(1);
  name[name.find('/')] = '.';
  const auto* descriptor = DescriptorPool::generated_pool()->FindMethodByName(name);
  std::shared_ptr<Message> request(
      MessageFactory::generated_factory()->GetPrototype(descriptor->input_type())->New());
  request->ParseFromString(bytes);
  Call call;
  call.caller = &caller_;
  call.deadline_boot_us = system_clock().boot_us() + 60'000'000;
  ++sent_;
  dispatcher_.unary(*descriptor, call, request, [this](Answer answer) {
    ++answered_;
    if (const auto* error = std::get_if<Error>(&answer)) {
      if (refused_++ == 0) fprintf(stderr, "refused: %s\n", error->message.c_str());
    } else {
      const Message& response = *std::get<std::unique_ptr<Message>>(answer);
      response.SerializeAsString();
      last_seq_ = response.GetReflection()->GetInt64(
          response, response.GetDescriptor()->FindFieldByName("version"));
    }
  });
}

void Book::settle() {
  while (answered_ < sent_) writer_->step();
}

}  // namespace taizhang::bench
