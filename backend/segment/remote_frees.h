// Remote frees: how a block freed by another thread reaches the page's owner.
//
// Freeing thread (any number at once):        Owner, holding its heap's lock:
//   0  finds the page's link and owner
//   1  bits |= block                            4  take the whole stack
//   2  if (waiting.exchange(true)) done         5  waiting.exchange(false)
//   3  push the link on its owner's stack       6  taken = bits.exchange(0)
//
// No free is lost, because the exchanges on `waiting` are totally ordered. If 2
// comes before 5, then 5 reads what 2 (or a later 2) wrote, so it sees the bits
// of 1, and 6 takes them. If 2 comes after 5, it finds false and pushes the
// link again.
//
// Between 1 and 3 the page may be emptied, freed and reused by another owner
// (another thread's push made the owner collect the bits). Then the link is on
// a stack that is no longer its page's owner's. After 5 the collector reads the
// current owner and delivers the link there by 2 and 3. If there is no owner,
// no remote free is pending: bits are set only while one of the page's blocks
// is in use, and the owner is set before that.
//
// So other threads access the page's own metadata only up to step 1, while one
// of its blocks is in use. Once the page is free its metadata may be purged,
// even if a delivery is between 1 and 3: from there on a delivery uses only the
// link, and links are never purged. A link may meanwhile be given to another
// page; to the protocol that is the same as a new owner of the page.
//
// The protocol is a template over the link so that a test can run the same
// source under every interleaving (remote_frees_test.cc). A link has:
//   std::atomic<bool> waiting;  Link* next_waiting;
//   std::atomic<Owner*> owner;  // Owner has std::atomic<Link*> waiting_links
#ifndef HAKMEM_BACKEND_SEGMENT_REMOTE_FREES_H_
#define HAKMEM_BACKEND_SEGMENT_REMOTE_FREES_H_

#include <atomic>
#include <cstdint>

namespace hakmem {

// Steps 2 and 3.
template <typename Link, typename Owner>
void DeliverRemoteLink(Link* link, Owner* owner) {
  // acq_rel: release so that step 5, if it reads this, sees the bits of step 1;
  // acquire only orders the push after it.
  if (link->waiting.exchange(true, std::memory_order_acq_rel)) return;
  Link* head = owner->waiting_links.load(std::memory_order_relaxed);
  do {
    link->next_waiting = head;
    // release: pairs with the acquire in CollectRemoteLinks; publishes
    // next_waiting.
  } while (!owner->waiting_links.compare_exchange_weak(
      head, link, std::memory_order_release, std::memory_order_relaxed));
}

// Steps 4 to 6: calls harvest(link) for each waiting page of `owner`; harvest
// takes the page's remote bits. Only the owner calls it.
template <typename Link, typename Owner, typename Harvest>
void CollectRemoteLinks(Owner* owner, Harvest&& harvest) {
  // acquire: pairs with the release in DeliverRemoteLink.
  Link* link =
      owner->waiting_links.exchange(nullptr, std::memory_order_acquire);
  while (link != nullptr) {
    Link* const next = link->next_waiting;  // before others may push the link
    // acq_rel: acquire pairs with the release in DeliverRemoteLink.
    link->waiting.exchange(false, std::memory_order_acq_rel);
    // acquire: pairs with the release in Heap::SetOwner.
    auto* const owner_now = link->owner.load(std::memory_order_acquire);
    if (owner_now == owner) {
      harvest(link);
    } else if (owner_now != nullptr) {
      DeliverRemoteLink(link, owner_now);
    }
    link = next;
  }
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SEGMENT_REMOTE_FREES_H_
