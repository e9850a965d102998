"""The peer of `recsys bench platform`: the same work in PyTorch's eager mode. Not part of the product.

Reads the name of a case a line, runs one timed round of it, and answers its seconds per repetition. First line: the version.
"""
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

THREADS = int(sys.argv[1])
torch.set_num_threads(THREADS)
torch.manual_seed(7)
ROWS, LENGTH, DIM, HEADS, LAYERS, TOKENS, DROPOUT = 131, 84, 128, 4, 4, 256, 0.3


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
        self.qkv, self.output = nn.Linear(DIM, 3 * DIM), nn.Linear(DIM, DIM)
        self.up, self.down = nn.Linear(DIM, 4 * DIM), nn.Linear(4 * DIM, DIM)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x, mask):
        b, n, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-1, -2) * (DIM // HEADS) ** -0.5 + mask, -1)
        x = x + self.drop(self.output((weights @ v).transpose(1, 2).reshape(b, n, DIM)))
        return x + self.drop(self.down(F.gelu(self.up(self.norm2(x)))))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(TOKENS, DIM), nn.Embedding(LENGTH, DIM)
        self.blocks, self.norm = nn.ModuleList(Block() for _ in range(LAYERS)), nn.LayerNorm(DIM)
        self.head, self.drop = nn.Linear(DIM, TOKENS, bias=False), nn.Dropout(DROPOUT)

    def forward(self, tokens, mask):
        x = self.drop(self.tokens(tokens) + self.positions.weight)
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.norm(x))


def training_step():
    model = Transformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    tokens = torch.randint(TOKENS, (ROWS, LENGTH + 1))
    mask = torch.full((LENGTH, LENGTH), float("-inf")).triu(1)

    def run():
        optimizer.zero_grad(set_to_none=True)
        logits = model(tokens[:, :-1], mask)
        F.cross_entropy(logits.reshape(-1, TOKENS), tokens[:, 1:].reshape(-1)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return run


B, SIDE, PATCH, CLASSES, STEPS = 64, 28, 2, 10, 4
N = SIDE // PATCH


def modulate(x, shift, scale):
    return F.layer_norm(x, [DIM], eps=1e-6) * (1 + scale) + shift


class DiTBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.modulation = nn.Linear(DIM, 6 * DIM)
        self.qkv, self.output = nn.Linear(DIM, 3 * DIM), nn.Linear(DIM, DIM)
        self.up, self.down = nn.Linear(DIM, 4 * DIM), nn.Linear(4 * DIM, DIM)

    def forward(self, h, c):
        m = self.modulation(c).unsqueeze(1).chunk(6, 2)
        b, n, _ = h.shape
        q, k, v = self.qkv(modulate(h, m[0], m[1])).view(b, n, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-1, -2) * (DIM // HEADS) ** -0.5, -1)
        h = h + m[2] * self.output((weights @ v).transpose(1, 2).reshape(b, n, DIM))
        return h + m[5] * self.down(F.gelu(self.up(modulate(h, m[3], m[4]))))


class DiT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches, self.time1, self.time2 = nn.Linear(PATCH * PATCH, DIM), nn.Linear(128, DIM), nn.Linear(DIM, DIM)
        self.classes, self.positions = nn.Embedding(CLASSES, DIM), nn.Parameter(torch.randn(N * N, DIM) * 0.02)
        self.blocks = nn.ModuleList(DiTBlock() for _ in range(LAYERS))
        self.modulation, self.head = nn.Linear(DIM, 2 * DIM), nn.Linear(DIM, PATCH * PATCH)

    def forward(self, x, time, label):
        h = self.patches(x.view(B, N, PATCH, N, PATCH).permute(0, 1, 3, 2, 4).reshape(B, N * N, PATCH * PATCH)) + self.positions
        angles = time.unsqueeze(1) * torch.exp(torch.arange(64.0) * (-math.log(10_000) / 64)) * 1000
        c = F.silu(self.time2(F.silu(self.time1(torch.cat([angles.cos(), angles.sin()], 1)))) + self.classes(label))
        for block in self.blocks:
            h = block(h, c)
        shift, scale = self.modulation(c).unsqueeze(1).chunk(2, 2)
        return self.head(modulate(h, shift, scale)).view(B, N, N, PATCH, PATCH).permute(0, 1, 3, 2, 4).reshape(B, SIDE, SIDE)


def dit_training():
    model = DiT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    pictures, label = torch.randn(B, SIDE, SIDE), torch.randint(CLASSES, (B,))

    def run():
        optimizer.zero_grad(set_to_none=True)
        time, noise = torch.rand(B), torch.randn_like(pictures)
        t = time.view(-1, 1, 1)
        F.mse_loss(model((1 - t) * pictures + t * noise, time, label), noise).backward()
        optimizer.step()

    return run


def dit_sampling():
    model = DiT()
    start, label, other = torch.randn(B, SIDE, SIDE), torch.zeros(B, dtype=torch.long), torch.ones(B, dtype=torch.long)

    def run():
        with torch.inference_mode():
            x = start
            for step in range(STEPS):
                time = torch.full((B,), 1 - step / STEPS)
                one, none = model(x, time, label), model(x, time, other)
                x = x - (none + (one - none) * 3.0) / STEPS

    return run


def adamw():
    parameters = [nn.Parameter(torch.randn(50_000)) for _ in range(100)]
    for p in parameters:
        p.grad = torch.randn_like(p)
    return torch.optim.AdamW(parameters, lr=1e-3).step


def small_add(grad):
    a, b = torch.ones(4, requires_grad=grad), torch.ones(4)

    def run():
        for _ in range(10_000):
            a + b

    return run


CASES = {
    "training step": (training_step, 2, 1),
    "dit training step": (dit_training, 2, 1),
    "dit sampling": (dit_sampling, 1, 1),
    "adamw": (adamw, 10, 1),
    "small add": (lambda: small_add(False), 5, 10_000),
    "small add, grad": (lambda: small_add(True), 5, 10_000),
}

print(torch.__version__, flush=True)
ready = {}
for line in sys.stdin:
    name = line.strip()
    make, repetitions, calls = CASES[name]
    if name not in ready:
        ready[name] = make()
        ready[name]()
    start = time.perf_counter()
    for _ in range(repetitions):
        ready[name]()
    print((time.perf_counter() - start) / repetitions / calls, flush=True)
