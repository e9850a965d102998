// Vectors taken out of an HNSW graph, which FAISS itself cannot do: the links that led to them lead on to what they were linked to.
//
// The repair is that of FreshDiskANN (Singh et al. 2021, algorithm 4), on every level: a vector that loses neighbours is offered those
// neighbours' own, and FAISS's rule for the links of a new vector chooses among them. Unlike there, what it chooses links back, without
// which more and more vectors could not be reached. One vector's choice reads nothing but its own list and the lists of vectors that go,
// and the links back are made in the order of the vectors, so that the graph does not depend on the number of threads.
#include "faiss.h"
#ifdef RECSYS_FAISS
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/impl/IDSelector.h>
#include <omp.h>

#include <atomic>
#include <queue>
#include <tuple>
#include <unordered_set>
#include <vector>

using faiss::HNSW;

namespace {
using Vertex = HNSW::storage_idx_t;
using Flags = std::vector<uint8_t>;

// The graph is one of distances: of similarities it takes the negative.
struct Negative : faiss::DistanceComputer {
  std::unique_ptr<faiss::DistanceComputer> inner;
  explicit Negative(faiss::DistanceComputer* similarities) : inner(similarities) {}
  void set_query(const float* x) override { inner->set_query(x); }
  float operator()(idx_t i) override { return -(*inner)(i); }
  float symmetric_dis(idx_t i, idx_t j) override { return -inner->symmetric_dis(i, j); }
};

std::unique_ptr<faiss::DistanceComputer> distances_of(const faiss::IndexHNSW& index) {
  std::unique_ptr<faiss::DistanceComputer> own(index.storage->get_distance_computer());
  if (index.metric_type != faiss::METRIC_INNER_PRODUCT) return own;
  return std::make_unique<Negative>(own.release());
}

// The links of one vertex on one level: those in use stand in front, -1 behind them.
struct Links {
  Vertex* first;
  int room, held = 0;
  Links(HNSW& graph, Vertex of, int level) {
    size_t begin, end;
    graph.neighbor_range(of, level, &begin, &end);
    first = graph.neighbors.data() + begin;
    room = static_cast<int>(end - begin);
    while (held < room && first[held] >= 0) ++held;
  }
};

struct Made {
  Vertex from, to;
  int level;
};

// What one thread needs, whichever vertex it repairs.
struct Workspace {
  std::unique_ptr<faiss::DistanceComputer> distances;
  std::unordered_set<Vertex> met;
  std::vector<Vertex> kept, ahead;
  std::vector<HNSW::NodeDistFarther> chosen;
  std::vector<Made> made;
};

// Collects in work.kept what `from` may be linked to: its neighbours that stay, and all those of the neighbours that go; behind a whole
// region that goes, what is met first, until there are as many as building would have looked at.
void gather(HNSW& graph, const Flags& gone, Vertex from, const Links& links, int level, Workspace& work) {
  work.met.clear();
  work.kept.clear();
  work.ahead.clear();
  work.met.insert(from);
  auto meet = [&](const Links& there) {
    for (int i = 0; i < there.held; ++i) {
      Vertex to = there.first[i];
      if (work.met.insert(to).second) (gone[to] ? work.ahead : work.kept).push_back(to);
    }
  };
  meet(links);
  size_t hop = work.ahead.size(), enough = static_cast<size_t>(std::max(graph.efConstruction, links.room));
  for (size_t at = 0; at < work.ahead.size() && (at < hop || work.kept.size() < enough); ++at) meet(Links(graph, work.ahead[at], level));
}

// Writes the best of work.kept over the links of `of`: all where there is room, else those that FAISS's rule for a new vector chooses.
void choose(Vertex of, Links& links, Workspace& work) {
  if (work.kept.size() > static_cast<size_t>(links.room)) {
    std::priority_queue<HNSW::NodeDistFarther> nearest;
    for (Vertex to : work.kept) nearest.emplace(work.distances->symmetric_dis(of, to), to);
    work.chosen.clear();
    HNSW::shrink_neighbor_list(*work.distances, nearest, work.chosen, links.room);
    work.kept.clear();
    for (const auto& node : work.chosen) work.kept.push_back(node.id);
  }
  std::fill(std::copy(work.kept.begin(), work.kept.end(), links.first), links.first + links.room, -1);
}

void repair(HNSW& graph, const Flags& gone, Vertex from, int level, Workspace& work) {
  Links links(graph, from, level);
  if (std::none_of(links.first, links.first + links.held, [&](Vertex to) { return gone[to] != 0; })) return;
  gather(graph, gone, from, links, level, work);
  std::vector<Vertex> before(links.first, links.first + links.held);
  choose(from, links, work);
  for (Vertex to : work.kept) {
    if (std::find(before.begin(), before.end(), to) == before.end()) work.made.push_back({from, to, level});
  }
}

// A link is made in both directions, as FAISS makes those of a new vector.
void answer(HNSW& graph, const Made& made, Workspace& work) {
  Links links(graph, made.to, made.level);
  if (std::find(links.first, links.first + links.held, made.from) != links.first + links.held) return;
  work.kept.assign(links.first, links.first + links.held);
  work.kept.push_back(made.from);
  choose(made.to, links, work);
}

void repair_all(faiss::IndexHNSW& index, const Flags& gone) {
  HNSW& graph = index.hnsw;
  std::vector<Workspace> work(omp_get_max_threads());
  for (auto& one : work) one.distances = distances_of(index);
  std::atomic<bool> failed{false};  // nothing may be thrown out of a parallel region
#pragma omp parallel for schedule(dynamic, 256)
  for (int64_t i = 0; i < index.ntotal; ++i) {
    if (gone[i] || failed) continue;
    try {
      for (int level = 0; level < graph.levels[i]; ++level) repair(graph, gone, static_cast<Vertex>(i), level, work[omp_get_thread_num()]);
    } catch (...) {
      failed = true;
    }
  }
  if (failed) throw std::bad_alloc();
  std::vector<Made> made;
  for (auto& one : work) made.insert(made.end(), one.made.begin(), one.made.end());
  std::sort(made.begin(), made.end(), [](const Made& a, const Made& b) { return std::tie(a.to, a.level, a.from) < std::tie(b.to, b.level, b.from); });
  for (const Made& one : made) answer(graph, one, work[0]);
}

// Moves what stays up to where nothing is missing, under its new numbers.
void close_up(HNSW& graph, const Flags& gone) {
  std::vector<Vertex> place(gone.size());
  Vertex count = 0, entry = -1;
  for (size_t i = 0; i < gone.size(); ++i) {
    if (gone[i]) continue;
    if (entry < 0 || graph.levels[i] > graph.levels[entry]) entry = static_cast<Vertex>(i);
    place[i] = count++;
  }
  graph.max_level = graph.levels[entry] - 1;
  if (gone[graph.entry_point]) graph.entry_point = entry;
  graph.entry_point = place[graph.entry_point];

  size_t to = 0;
  for (size_t i = 0; i < gone.size(); ++i) {
    size_t begin = graph.offsets[i], length = graph.offsets[i + 1] - begin;  // before its place is written over: place[i] <= i
    if (gone[i]) continue;
    for (size_t at = 0; at < length; ++at) {
      Vertex link = graph.neighbors[begin + at];
      graph.neighbors[to + at] = link < 0 || gone[link] ? -1 : place[link];  // what is behind a list's end may be anything
    }
    graph.levels[place[i]] = graph.levels[i];
    graph.offsets[place[i]] = to;
    to += length;
  }
  graph.offsets[count] = to;
  graph.levels.resize(count);
  graph.offsets.resize(count + 1);
  graph.neighbors.resize(to);
}
}  // namespace

namespace recsys_faiss {
void remove_from(faiss::IndexHNSW& index, const std::vector<uint8_t>& gone) {
  struct Gone : faiss::IDSelector {
    const Flags& flags;
    explicit Gone(const Flags& f) : flags(f) {}
    bool is_member(faiss::Index::idx_t i) const override { return flags[i] != 0; }
  };
  auto* storage = dynamic_cast<faiss::IndexFlat*>(index.storage);
  if (storage == nullptr) throw std::invalid_argument("a graph over vectors that are not held whole");
  int64_t kept = std::count(gone.begin(), gone.end(), 0);
  Gone chosen(gone);
  if (kept < index.ntotal / 2) {  // less work than mending, and as good as new
    storage->remove_ids(chosen);
    std::vector<uint8_t> codes = std::move(storage->codes);
    index.reset();
    OneThread one(true);
    index.add(kept, reinterpret_cast<const float*>(codes.data()));
    return;
  }
  repair_all(index, gone);
  close_up(index.hnsw, gone);
  storage->remove_ids(chosen);
  index.ntotal = storage->ntotal;
}
}  // namespace recsys_faiss
#endif
