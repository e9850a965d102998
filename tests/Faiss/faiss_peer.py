# FAISS's own Python package on the same data as our tests: reads train, base, query [*, 16] float32 from a folder, writes there
# what each case answers. One argument: the folder.
import sys, os
import numpy as np
import faiss

folder = sys.argv[1]
dim, k = 16, 10
faiss.omp_set_num_threads(1)


def read(name, kind=np.float32, width=dim):
    values = np.fromfile(os.path.join(folder, name), dtype=kind)
    return values.reshape(-1, width) if width else values


def write(name, *arrays):
    for array, part in zip(arrays, ("distances", "labels", "codes")):
        np.ascontiguousarray(array).tofile(os.path.join(folder, f"{name}.{part}"))


train, base, query, weights = read("train"), read("base"), read("query"), read("weights", width=0)
unit = train / np.linalg.norm(train, axis=1, keepdims=True)


def kmeans(name, data, spherical=False, weights=None):
    clustering = faiss.Kmeans(dim, 24, niter=12, seed=77, spherical=spherical, min_points_per_centroid=1)
    clustering.train(data, weights=weights)
    write(name, clustering.centroids)


kmeans("kmeans", train)
kmeans("kmeans-spherical", np.ascontiguousarray(unit), spherical=True)
kmeans("kmeans-weighted", train, weights=weights)


def seeded(index, seed):
    for parameters in (getattr(index, "cp", None), getattr(getattr(index, "pq", None), "cp", None), getattr(getattr(index, "rq", None), "cp", None)):
        if parameters is not None:
            parameters.seed = seed
            parameters.min_points_per_centroid = 1
    return index


def make(name, metric):
    if name == "Flat":
        return faiss.IndexFlat(dim, metric)
    if name == "PQ4x6":
        return faiss.IndexPQ(dim, 4, 6, metric)
    if name == "RQ3x5":
        index = faiss.IndexResidualQuantizer(dim, 3, 5, metric)
        index.rq.max_beam_size = 7
        return index
    if name == "HNSW12":
        index = faiss.IndexHNSWFlat(dim, 12, metric)
        index.hnsw.efSearch = 24
        return index
    coarse = faiss.IndexFlat(dim, metric)
    index = faiss.IndexIVFFlat(coarse, dim, 20, metric) if name == "IVF20,Flat" else faiss.IndexIVFPQ(coarse, dim, 20, 4, 6, metric)
    index.nprobe = 5
    index.keep = coarse
    return index


for name in ("Flat", "PQ4x6", "RQ3x5", "HNSW12", "IVF20,Flat", "IVF20,PQ4x6"):
    for metric in (faiss.METRIC_L2, faiss.METRIC_INNER_PRODUCT):
        case = f"{name}-{'L2' if metric == faiss.METRIC_L2 else 'InnerProduct'}"
        index = seeded(make(name, metric), 4321)
        index.train(train)
        index.add(base)
        write(case, *index.search(query, k))
        faiss.write_index(index, os.path.join(folder, case + ".faiss"))
        if name[:2] in ("PQ", "RQ"):
            codes = index.sa_encode(query)
            index.sa_decode(codes)
            write(case + "-codec", index.sa_decode(codes), np.zeros(0), codes)
        if name == "Flat" or name == "IVF20,Flat":
            limits, distances, labels = index.range_search(query, 12.0)
            write(case + "-range", distances, labels, limits)
        if name != "HNSW12":
            index.remove_ids(np.arange(0, 300, 7))
            write(case + "-removed", *index.search(query, k))

# Files that our side wrote beforehand.
for name in sorted(os.listdir(folder)):
    if name.endswith(".ours"):
        write(name, *faiss.read_index(os.path.join(folder, name)).search(query, k))
print(faiss.__version__)
