#include "base/intrusive_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace hakmem {
namespace {

struct OtherTag {};

struct Item : ListNode<Item>, ListNode<Item, OtherTag> {
  explicit Item(int number) : value(number) {}
  int value;
};

template <typename List>
std::vector<int> Values(const List& list) {
  std::vector<int> values;
  for (Item* i = list.front(); i != nullptr; i = List::Next(i)) {
    values.push_back(i->value);
  }
  return values;
}

TEST(IntrusiveList, KeepsTheOrderOfPushes) {
  Item a(1), b(2), c(3);
  IntrusiveList<Item> list;
  EXPECT_TRUE(list.empty());
  list.PushBack(&b);
  list.PushBack(&c);
  list.PushFront(&a);
  EXPECT_EQ(Values(list), (std::vector<int>{1, 2, 3}));
}

TEST(IntrusiveList, RemovesFromEveryPlace) {
  for (int removed = 0; removed < 3; ++removed) {
    Item items[] = {Item(0), Item(1), Item(2)};
    IntrusiveList<Item> list;
    for (Item& item : items) list.PushBack(&item);
    list.Remove(&items[removed]);
    std::vector<int> rest = {0, 1, 2};
    rest.erase(rest.begin() + removed);
    EXPECT_EQ(Values(list), rest);
    list.PushBack(&items[removed]);
    rest.push_back(removed);
    EXPECT_EQ(Values(list), rest);
  }
}

TEST(IntrusiveList, PopsUntilEmpty) {
  Item a(1), b(2);
  IntrusiveList<Item> list;
  list.PushBack(&a);
  list.PushBack(&b);
  EXPECT_EQ(list.PopFront(), &a);
  EXPECT_EQ(list.PopFront(), &b);
  EXPECT_EQ(list.PopFront(), nullptr);
  EXPECT_TRUE(list.empty());
}

TEST(IntrusiveList, AnElementIsInTwoListsAtOnce) {
  Item a(1), b(2);
  IntrusiveList<Item> list;
  IntrusiveList<Item, OtherTag> other;
  list.PushBack(&a);
  list.PushBack(&b);
  other.PushBack(&b);
  other.PushBack(&a);
  list.Remove(&b);
  EXPECT_EQ(Values(list), (std::vector<int>{1}));
  EXPECT_EQ(Values(other), (std::vector<int>{2, 1}));
}

}  // namespace
}  // namespace hakmem
