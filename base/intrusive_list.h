// Doubly linked lists with the links inside the elements: no allocation, O(1)
// insertion and removal. An element can be in several lists at once, one link
// each, distinguished by Tag.
//
//   struct Slab : ListNode<Slab> { … };
//   IntrusiveList<Slab> partial;
#ifndef HAKMEM_BASE_INTRUSIVE_LIST_H_
#define HAKMEM_BASE_INTRUSIVE_LIST_H_

#include <cstddef>

namespace hakmem {

struct DefaultListTag {};

template <typename T, typename Tag = DefaultListTag>
struct ListNode {
  T* list_next = nullptr;
  T* list_previous = nullptr;
};

template <typename T, typename Tag = DefaultListTag>
class IntrusiveList {
 public:
  constexpr IntrusiveList() = default;
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return front_ == nullptr; }
  T* front() const { return front_; }
  T* back() const { return back_; }
  static T* Next(T* element) { return Links(element).list_next; }

  void PushFront(T* element) {
    Links(element) = {front_, nullptr};
    (front_ != nullptr ? Links(front_).list_previous : back_) = element;
    front_ = element;
  }

  void PushBack(T* element) {
    Links(element) = {nullptr, back_};
    (back_ != nullptr ? Links(back_).list_next : front_) = element;
    back_ = element;
  }

  // `element` must be in this list.
  void Remove(T* element) {
    const Node links = Links(element);
    (links.list_previous != nullptr ? Links(links.list_previous).list_next
                                    : front_) = links.list_next;
    (links.list_next != nullptr ? Links(links.list_next).list_previous
                                : back_) = links.list_previous;
    Links(element) = {};
  }

  T* PopFront() {
    T* element = front_;
    if (element != nullptr) Remove(element);
    return element;
  }

 private:
  using Node = ListNode<T, Tag>;
  static Node& Links(T* element) { return *element; }

  T* front_ = nullptr;
  T* back_ = nullptr;
};

}  // namespace hakmem

#endif  // HAKMEM_BASE_INTRUSIVE_LIST_H_
