# FAISS's own Python package on the same data as our tests: reads train, query [*, 16] float32 from a folder, writes there
# what each case answers. One argument: the folder.
import os
import sys

import faiss
import numpy as np

folder, dim = sys.argv[1], 16


def read(name):
    return np.fromfile(os.path.join(folder, name), dtype=np.float32).reshape(-1, dim)


def write(name, array):
    np.ascontiguousarray(array).tofile(os.path.join(folder, name))


train, query = read("train"), read("query")

clustering = faiss.Kmeans(dim, 24, niter=12, seed=77, min_points_per_centroid=1)
clustering.train(train)
write("kmeans.centroids", clustering.centroids)

bits = (6, 4, 3)
residual = faiss.index_factory(dim, "RQ1x6_1x4_1x3")
residual.rq.cp.seed = 4321
residual.rq.cp.min_points_per_centroid = 1
residual.rq.max_beam_size = 5
residual.train(train)
write("rq.codebooks", faiss.vector_to_array(residual.rq.codebooks))
for beam in (1, 5):
    residual.rq.max_beam_size = beam
    packed = residual.sa_encode(query)
    numbers = [int.from_bytes(row.tobytes(), "little") for row in packed]
    shifts = np.cumsum((0,) + bits[:-1])
    codes = [[number >> int(shift) & (1 << b) - 1 for shift, b in zip(shifts, bits)] for number in numbers]
    write(f"rq.codes{beam}", np.array(codes, dtype=np.int32))
    write(f"rq.decoded{beam}", residual.sa_decode(packed))
