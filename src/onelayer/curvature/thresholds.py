"""Every number that steers Newton systems, each with its reason. None of them changes the answer, only its price."""

# ---- which path ------------------------------------------------------------------------------------------------

# Coefficients that one score depends on, up to which the whole Hessian is formed in float64. On digits (650 of them)
# sampled blocks and conjugate gradients took half the time of whole Hessians, on breast cancer (31) 1.6 times as much.
DENSE_COEFFICIENTS = 200
# Multiply-adds of one such Hessian, at most: about 20 ms on two cores. Above it a sampled model is cheaper.
DENSE_WORK = 1e9

# Numbers of X that are held in float64 at a time for a whole Hessian (32 MB).
WIDE_NUMBERS = 2**22
# Where there are more, of one block (4 MB): it stays in the cache from its conversion to its products. Blocks of 32 MB took
# twice the time for a proof on 200,000 x 50.
WIDE_BLOCK = 2**19
# A mean within so many rounding errors (one for every row) of the first entry is taken to be that entry: it is if a column is
# constant, and costs nothing if it is not.
CONSTANT = 4
# A gradient of which more than this share points where P does not curve needs another model of P.
MISSED = 1e-6

# ---- models of the curvature -----------------------------------------------------------------------------------

# Rows for each block, in features: sampled by leverage, 8 d rows brought conjugate gradients on Fashion-MNIST to 25
# steps for three digits, 4 d to 36, all of them (77 d) to 18.
ROWS_PER_FEATURE = 8
# While the curvature still moves from step to step, a rough model serves as well.
ROUGH_ROWS_PER_FEATURE = 2
MIN_ROWS = 1000
# Numbers in all blocks together: above this share of X, or this many, one shared eigenbasis takes their place.
BLOCKS_SHARE, BLOCKS_NUMBERS = 0.5, 2**24
# Features up to which a matrix features x features is formed at all (8192² float32 are 256 MB).
FACTOR_FEATURES = 8192
# Sparse data with more features than this are modelled by the heaviest of them, so many, and a diagonal. What such a model
# costs, in products with the Hessian.
HEAVY_FROM, HEAVY_FEATURES, HEAVY_PRICE = 1024, 512, 10
# The first model of softmax, where blocks would cost more products than this, is the shared eigenbasis: at W = 0 it is
# the Hessian itself.
DEAR = 5
# On a path of penalties a new model serves about so many of them.
SHARED = 3
# A model is stale when the curvature has moved by this much of itself since it was made.
STALE = 0.25
# A model of the same curvature is worth replacing only by one of more than this times its rows.
FINER = 2
# By how much a product lowers the logarithm of the squared residual, before it is measured; and at least, afterwards.
USUAL_RATE, LEAST_RATE = 0.5, 0.01
# While steps are large only the next two systems count, which are solved to about one digit.
TWO_SYSTEMS = 5.0
# What a block costs, as measured (384, 784 and 1000 features): the multiply-adds of its Gram matrix, each of its rows that
# of so many features more (it is gathered, centred and scaled), its factor and inverse so many squares of features.
ROW_PRICE, FACTOR_PRICE = 100, 5.0
# One of those multiply-adds over one of a product, which is bound by memory for few outputs: this from so many outputs on,
# and in proportion below.
GRAM_PRICE, MANY_OUTPUTS = 0.8, 20
# A model that costs no more products than this is made of as many rows as it buys.
CHEAP = 5.0
# Above this share of all rows, all are taken: they need not be drawn, nor gathered.
ALL_ROWS = 0.5

# One row in so many gives the Hessian of the first systems (for one output, gathering them costs what it saves) ...
SAMPLE_SHARE, SAMPLE_OUTPUTS = 4, 10
# ... as long as all rows together bend P along a step by no more than this times what those rows believed (where rare
# features are missed it is twice as much), and steps leave no more than this share of what they set out to gain.
SAMPLE_BENDS = 1.3
SAMPLE_TRUST = 0.5
# Steps that gain less than this share of P have all rows: two or three of them end the fit.
SAMPLED_UNTIL = 1e-3

# ---- inner accuracy --------------------------------------------------------------------------------------------

# Reduction of the preconditioned residual before anything is known about how far the quadratic model can be trusted.
FORCING = 0.3
# Afterwards: solve down to this share of what the model was off by last time, scaled to this step (squared norms).
TRUST = 0.5
LOOSEST, TIGHTEST = 0.5, 1e-4
# The last system is solved until what it leaves over proves this share of tol by itself.
CLOSING = 0.3
# Rounding of the gradient may be this share of the squared residual that the last system leaves over.
ROUNDED = 0.01
# A step that gains more than this share of P leaves too much behind it for a proof worth trying.
PROVABLE = 0.01
# … as does one that gains no less than this share of what the last one gained: the arithmetic is at its end.
FALLING = 0.5
# What the next proof will miss is guessed from so many rows, or so many numbers of X (64 MB in float32), where that leaves
# out three quarters of them: on 500,000 rows each guess took a tenth of the whole fit.
FORESEEN_ROWS, FORESEEN_NUMBERS, FORESEEN_SHARE = 5_000, 2**24, 4
MOST_PRODUCTS = 500
# Directions of one system that are kept for the next one, in numbers of all of them together: this many (64 MB with their
# images), or this share of X where that is more. On Fashion-MNIST at C=1 they saved 25 products of 64, at C=100 two thirds.
KEPT_NUMBERS, KEPT_SHARE = 2**22, 1 / 64
# ... and no more numbers than this share of a product's multiply-adds: on a text matrix of 6 entries a row they saved 20
# products of 126 and took a third longer.
KEPT_WORK = 1 / 8
# Once a step gains less than this share of P the curvature is that of the end, give or take.
SETTLED = 0.03
# Below this share of P a Newton decrement drowns in what the rounding of float32 does to kept scores: float64 from there.
WIDE_BELOW = 1e-9

# ---- warm starts -----------------------------------------------------------------------------------------------

# One row in so many, at the same C; worth it only if that leaves enough rows to say something about each coefficient.
SUBSET_SHARE = 4
SUBSET_ROWS = 2000
# No more rows than this for each feature: beyond them the start is no better for the whole, and the whole is soon solved.
SUBSET_ROWS_PER_FEATURE = 200
# A subset's own optimum is farther than this (share of P) from that of all rows anyway: its last step may gain as much.
SUBSET_ACCURACY = 0.1
SUBSET_STEPS = 12
