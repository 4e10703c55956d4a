// A list whose items carry its links, so that any of them can leave at once.
#pragma once

namespace taizhang {

// `Item` has two members `Item* before` and `Item* after`, null while it is in no list.
template <class Item>
class EvictionList {
 public:
  Item* front() const { return first_; }  // null: empty
  void push_back(Item& item) {
    item.before = last_;
    (last_ ? last_->after : first_) = &item;
    last_ = &item;
  }
  void remove(Item& item) {
    (item.before ? item.before->after : first_) = item.after;
    (item.after ? item.after->before : last_) = item.before;
    item.before = item.after = nullptr;
  }

 private:
  Item* first_ = nullptr;
  Item* last_ = nullptr;
};

}  // namespace taizhang
