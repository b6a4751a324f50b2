#include "text/merge_table.h"

#include <cstddef>
#include <queue>

namespace vesalius::text {

namespace {

uint64_t key(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

// A word while it is being merged: a list of tokens linked by position.
struct Link {
  int32_t id, previous, next;
};

struct Candidate {
  int32_t rank, at, left, right, id;
  // The lowest rank first, then the leftmost, as a scan from left to right takes them.
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : at > other.at;
  }
};

std::vector<Link> linked(const std::vector<int32_t>& ids) {
  std::vector<Link> links;
  const auto count = static_cast<int32_t>(ids.size());
  links.reserve(ids.size());
  for (int32_t i = 0; i < count; ++i) links.push_back({ids[i], i - 1, i + 1 < count ? i + 1 : -1});
  return links;
}

}  // namespace

void MergeTable::add(int32_t left, int32_t right, int32_t merged) {
  merges_.insert_or_assign(key(left, right), Merge{count_++, merged});
}

const MergeTable::Merge* MergeTable::find(int32_t left, int32_t right) const {
  const auto found = merges_.find(key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void MergeTable::apply(std::vector<int32_t>& ids) const {
  std::vector<Link> links = linked(ids);
  std::priority_queue<Candidate> queue;
  const auto offer = [&](int32_t at) {
    if (at < 0 || links[at].next < 0) return;
    const int32_t left = links[at].id, right = links[links[at].next].id;
    if (const Merge* merge = find(left, right))
      queue.push({merge->rank, at, left, right, merge->id});
  };
  for (size_t i = 0; i < links.size(); ++i) offer(static_cast<int32_t>(i));
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Link& link = links[best.at];
    // Either side may have been merged into something else since this was offered.
    if (link.id != best.left || link.next < 0 || links[link.next].id != best.right) continue;
    links[link.next].id = -1;
    link.id = best.id;
    link.next = links[link.next].next;
    if (link.next >= 0) links[link.next].previous = best.at;
    offer(best.at);
    offer(link.previous);
  }
  ids.clear();
  for (int32_t i = links.empty() ? -1 : 0; i >= 0; i = links[i].next) ids.push_back(links[i].id);
}

}  // namespace vesalius::text
