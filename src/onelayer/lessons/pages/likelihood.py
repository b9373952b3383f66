import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Likelihood")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from onelayer.lessons import Speaker, language_switch

    language = language_switch()
    language
    return Speaker, language, mo


@app.cell(hide_code=True)
def _(Speaker, language):
    say = Speaker(language.value)
    return (say,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        # Likelihood

        A coin fell head, head, tail. Somebody says that it shows head with probability 0.5, somebody else says 0.2: whom
        should I believe, and which probability explains the three flips best?

        A flip has two outcomes, $y = 1$ (head) with probability $p$ and $y = 0$ (tail) with probability $1-p$: the
        **Bernoulli distribution**. Flips that know nothing of each other multiply. The **likelihood** of $p$ is the
        probability that it gives to what was seen:

        $$L(p) = \prod_{i=1}^{n} p^{\,y_i} (1-p)^{1-y_i}.$$

        Type the flips, with H for head and T for tail (1 and 0 will do as well), and choose two candidates for $p$.
        """,
        r"""
        # 似然

        一枚硬币抛了三次：正、正、反。有人说它正面朝上的概率是 0.5，另一个人说是 0.2。我该相信谁？哪个概率最能解释这三次结果？

        一次抛掷有两种结果：$y = 1$（正面），概率为 $p$；$y = 0$（反面），概率为 $1-p$。这就是**伯努利分布**。各次抛掷互不影响，概率相乘。$p$ 的**似然**就是它赋予观测结果的概率：

        $$L(p) = \prod_{i=1}^{n} p^{\,y_i} (1-p)^{1-y_i}.$$

        请输入抛掷结果，H 或“正”是正面，T 或“反”是反面（也可以用 1 和 0），再选择 $p$ 的两个候选值。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    typed = mo.ui.text(value="H H T", label="flips · 抛掷结果", debounce=False)
    first = mo.ui.slider(0.01, 0.99, step=0.01, value=0.5, label="$p_1$", show_value=True)
    second = mo.ui.slider(0.01, 0.99, step=0.01, value=0.2, label="$p_2$", show_value=True)
    mo.hstack([typed, first, second], justify="start", gap=2, wrap=True)
    return first, second, typed


@app.cell(hide_code=True)
def _(mo, say, typed):
    _names = {"H": 1, "T": 0, "1": 1, "0": 0, "正": 1, "反": 0}
    _letters = [
        _letter
        for _letter in typed.value.upper()
        if not (_letter.isspace() or _letter in ",;，、；")
    ]
    _strange = [_letter for _letter in _letters if _letter not in _names]
    _problem = None
    if not _letters:
        _problem = (
            "There is no flip: type at least one, for example H H T.",
            "还没有抛掷结果：请至少输入一次，例如 H H T。",
        )
    elif _strange:
        _problem = (
            f"“{_strange[0]}” is neither H (head) nor T (tail): type letters such as H H T.",
            f"“{_strange[0]}” 既不是 H（正面）也不是 T（反面）：请输入例如 H H T。",
        )
    elif len(_letters) > 200:
        _problem = (
            f"{len(_letters)} flips are too many for this page: type at most 200.",
            f"{len(_letters)} 次抛掷对本页来说太多了：请最多输入 200 次。",
        )
    mo.stop(_problem is not None, _problem and say.problem(*_problem))
    outcomes = [_names[_letter] for _letter in _letters]
    return (outcomes,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## From raw numbers

        One factor per flip, $p$ for a head and $1-p$ for a tail, and their product.
        """,
        r"""
        ## 从最原始的数开始

        每次抛掷对应一个因子，正面是 $p$，反面是 $1-p$，再把它们乘起来。
        """,
    )
    return


@app.cell
def _(first, mo, outcomes, second):
    import torch

    flips = torch.tensor(outcomes, dtype=torch.float64)
    candidates = [first.value, second.value]

    def likelihood(p, flips):
        factors = p**flips * (1 - p) ** (1 - flips)
        return factors.prod().item()

    by_hand = [likelihood(p, flips) for p in candidates]
    mo.show_code(by_hand, position="above")
    return by_hand, candidates, flips, likelihood, torch


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## In torch, and with onelayer

        torch has the distribution, and gives the logarithm of its probabilities. onelayer has the loss of a **score**
        $z = \log\frac{p}{1-p}$, which is $-\log$ of the probability of the outcome. Both sum over the flips; `exp` undoes the
        logarithm.
        """,
        r"""
        ## 用 torch，用 onelayer

        torch 有这个分布，给出的是概率的对数。onelayer 有**得分** $z = \log\frac{p}{1-p}$ 的损失函数，它等于该结果的概率取 $-\log$。两者都对各次抛掷求和，最后用 `exp` 还原。
        """,
    )
    return


@app.cell
def _(candidates, flips, mo, torch):
    import onelayer as ol

    by_torch, by_onelayer = [], []
    for p in candidates:
        log_probabilities = torch.distributions.Bernoulli(
            torch.tensor(p, dtype=torch.float64)
        ).log_prob(flips)
        by_torch.append(log_probabilities.sum().exp().item())

        score = torch.logit(torch.full_like(flips, p))
        losses = ol.losses.Logistic().value(score, flips)
        by_onelayer.append((-losses.sum()).exp().item())
    mo.show_code({"torch": by_torch, "onelayer": by_onelayer}, position="above")
    return by_onelayer, by_torch, ol


@app.cell(hide_code=True)
def _(by_hand, by_onelayer, by_torch, candidates, say):
    say.table(
        [
            ("likelihood", "似然"),
            ("by hand", "手写"),
            ("torch", "torch"),
            ("onelayer", "onelayer"),
        ],
        [
            [f"p = {_p:.2f}", *_values]
            for _p, *_values in zip(candidates, by_hand, by_torch, by_onelayer, strict=True)
        ],
    )
    return


@app.cell(hide_code=True)
def _(candidates, flips, say, torch):
    # Logarithms, because the likelihoods themselves may both be too small for a float.
    _logs = [
        torch.distributions.Bernoulli(torch.tensor(_p).double()).log_prob(flips).sum()
        for _p in candidates
    ]
    _ratio = abs(_logs[0] - _logs[1]).exp().item()
    believed = None if _ratio < 1 + 1e-9 else candidates[int(_logs[1] > _logs[0])]
    say(
        "Both candidates make the flips equally likely."
        if believed is None
        else f"**p = {believed:.2f}** makes these flips more likely, {_ratio:.4g} times as likely as the other.",
        "在两个候选值下，观测结果的可能性相同。"
        if believed is None
        else f"**p = {believed:.2f}** 使观测结果更可能出现，可能性是另一个的 {_ratio:.4g} 倍。",
    )
    return (believed,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The picture

        The likelihood over all $p$, and its logarithm. The value of $p$ with the largest likelihood is the
        **maximum likelihood estimate**.
        """,
        r"""
        ## 图像

        所有 $p$ 的似然，以及它的对数。使似然最大的 $p$ 叫做**最大似然估计**。
        """,
    )
    return


@app.cell
def _(candidates, flips, mo, ol):
    picture = ol.plots.LikelihoodDisplay.from_flips(flips, candidates=candidates).plot()
    mo.show_code(picture.figure_, position="above")
    return (picture,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Why the logarithm?

        **The maximum stays where it is.** The logarithm is monotone: where $L$ grows, $\log L$ grows. So both are largest at
        the same $p$, although their curves look different. And a product becomes a sum, which is easy to differentiate:

        $$\log L(p) = \sum_{i=1}^{n} \big[y_i \log p + (1-y_i) \log(1-p)\big].$$
        """,
        r"""
        ## 为什么要取对数？

        **最大值的位置不变**。对数是单调递增函数：$L$ 增大时 $\log L$ 也增大。所以两条曲线形状不同，却在同一个 $p$ 处取得最大值。而且乘积变成了求和，求导容易得多：

        $$\log L(p) = \sum_{i=1}^{n} \big[y_i \log p + (1-y_i) \log(1-p)\big].$$
        """,
    )
    return


@app.cell
def _(flips, likelihood, mo, torch):
    def log_likelihood(p, flips):
        # xlogy(0, 0) is 0: an outcome that did not happen does not count.
        return (torch.xlogy(flips, p) + torch.xlogy(1 - flips, 1 - p)).sum().item()

    grid = torch.linspace(0, 1, 1001, dtype=torch.float64)
    highest = {
        "likelihood": max(grid, key=lambda p: likelihood(p, flips)).item(),
        "log-likelihood": max(grid, key=lambda p: log_likelihood(p, flips)).item(),
        "share of heads": flips.mean().item(),
    }
    mo.show_code(highest, position="above")
    return (highest,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        **The product underflows.** Each factor is below one, so the product of many is tiny. The smallest positive number is
        about $5 \cdot 10^{-324}$ in float64 and $10^{-45}$ in float32; what is smaller becomes 0, and then every $p$ looks equally bad.
        The sum of logarithms has no such trouble. Choose a number of flips of a fair coin:
        """,
        r"""
        **乘积会下溢**。每个因子都小于一，很多个相乘就非常小。float64 能表示的最小正数约为 $5 \cdot 10^{-324}$，float32 约为 $10^{-45}$；更小的数变成 0，于是每个 $p$ 看起来都一样差。对数之和没有这个问题。请选择一枚公平硬币的抛掷次数：
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    many = mo.ui.slider(
        steps=[10, 100, 150, 500, 1000, 1074, 1075, 2000],
        value=2000,
        label="number of flips · 抛掷次数",
        show_value=True,
    )
    many
    return (many,)


@app.cell
def _(many, mo, torch):
    fair = torch.full((many.value,), 0.5, dtype=torch.float64)
    long_run = torch.bernoulli(fair, generator=torch.Generator().manual_seed(0))
    factors_of_run = 0.5**long_run * 0.5 ** (1 - long_run)
    underflow = {
        "product, float64": factors_of_run.prod().item(),
        "product, float32": factors_of_run.float().prod().item(),
        "sum of logs": factors_of_run.log().sum().item(),
    }
    mo.show_code(underflow, position="above")
    return (underflow,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The loss was there all the time

        To make the likelihood large is to make minus its logarithm small. Divided by the number of flips, that is the
        **cross-entropy loss**, the very number that a logistic regression minimises:

        $$-\frac1n \log L(p) = -\frac1n \sum_{i=1}^{n} \big[y_i \log p + (1-y_i)\log(1-p)\big].$$
        """,
        r"""
        ## 损失函数其实一直都在

        让似然变大，就是让它的负对数变小。再除以抛掷次数，得到的就是**交叉熵损失**，正是逻辑斯蒂回归要最小化的那个数：

        $$-\frac1n \log L(p) = -\frac1n \sum_{i=1}^{n} \big[y_i \log p + (1-y_i)\log(1-p)\big].$$
        """,
    )
    return


@app.cell
def _(candidates, flips, mo, ol, torch):
    cross_entropies = {}
    for candidate in candidates:
        every = torch.full_like(flips, candidate)
        raw = -(flips * torch.log(every) + (1 - flips) * torch.log(1 - every)).mean()
        of_torch = torch.nn.BCELoss()(every, flips)
        of_onelayer = ol.losses.Logistic().value(torch.logit(every), flips).mean()
        cross_entropies[candidate] = [raw.item(), of_torch.item(), of_onelayer.item()]
    mo.show_code(cross_entropies, position="above")
    return (cross_entropies,)


@app.cell(hide_code=True)
def _(by_hand, cross_entropies, candidates, flips, say):
    import math as _math

    say.table(
        [
            ("loss", "损失"),
            ("by hand", "手写"),
            ("torch BCELoss", "torch BCELoss"),
            ("onelayer Logistic", "onelayer Logistic"),
            ("−log L / n", "−log L / n"),
        ],
        [
            [
                f"p = {_p:.2f}",
                *cross_entropies[_p],
                -_math.log(_L) / len(flips) if _L else ("L underflowed to 0", "L 下溢为 0"),
            ]
            for _p, _L in zip(candidates, by_hand, strict=True)
        ],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The best p, in three ways

        **By counting.** Where the derivative $\frac{h}{p} - \frac{n-h}{1-p}$ is zero, with $h$ heads in $n$ flips: $p = h/n$.

        **By gradient ascent.** With $p = \sigma(z)$ any step of $z$ leaves $p$ between 0 and 1, and the derivative of the mean
        log-likelihood by $z$ is $\bar y - p$.

        **With onelayer.** A logistic regression whose only feature is always 0 has nothing but its intercept to explain the
        flips. (The penalty spares the intercept, so it changes nothing here.)
        """,
        r"""
        ## 求最好的 p，三种方法

        **数一数**。$n$ 次抛掷中有 $h$ 次正面，令导数 $\frac{h}{p} - \frac{n-h}{1-p}$ 为零，得 $p = h/n$。

        **梯度上升**。令 $p = \sigma(z)$，则 $z$ 无论怎么走，$p$ 都在 0 和 1 之间；平均对数似然对 $z$ 的导数是 $\bar y - p$。

        **用 onelayer**。让逻辑斯蒂回归唯一的特征恒为 0，它就只能用截距来解释抛掷结果。（惩罚项不作用于截距，所以在这里没有影响。）
        """,
    )
    return


@app.cell
def _(flips, mo, ol, torch):
    counted = flips.mean().item()

    z = torch.tensor(0.0, dtype=torch.float64)
    for _ in range(500):
        z += 4 * (flips.mean() - 1 / (1 + torch.exp(-z)))
    climbed = (1 / (1 + torch.exp(-z))).item()

    nothing = torch.zeros(len(flips), 1, dtype=torch.float64)
    try:
        coin = ol.LogisticRegression(tol=1e-12).fit(nothing, flips)
        fitted, refusal = coin.predict_proba(nothing)[0, 1].item(), ""
    except ol.errors.DataError as problem:
        fitted, refusal = None, str(problem)
    three_ways = {"counted": counted, "climbed": climbed, "fitted": fitted}
    mo.show_code(three_ways, position="above")
    return climbed, counted, refusal, three_ways


@app.cell(hide_code=True)
def _(climbed, counted, refusal, say):
    _edge = say.problem(
        f"All flips are the same, so the maximum lies at the edge, p = {counted:g}, where the score z would be "
        f"infinite. Ascent creeps towards it (p = {climbed:.5f} after 500 steps) and never arrives; onelayer refuses: “{refusal}”",
        f"所有结果都相同，所以最大值在边界 p = {counted:g} 处，那里的得分 z 是无穷大。梯度上升只会慢慢靠近它（500 步后 p = {climbed:.5f}），永远到不了；"
        f"onelayer 拒绝拟合：“{refusal}”（意思是：只有一个类别，分类器至少需要两个）。",
    )
    _edge if refusal else None
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Exercise

        A coin shows 7 heads in 10 flips. How many times as likely are these flips under $p = 0.7$ as under $p = 0.5$? Two
        decimal places are enough.
        """,
        r"""
        ## 练习

        一枚硬币抛 10 次，有 7 次正面。在 $p = 0.7$ 下出现这些结果的可能性，是在 $p = 0.5$ 下的多少倍？保留两位小数即可。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    from onelayer.lessons import NumberExercise

    _right = 0.7**7 * 0.3**3 / 0.5**10
    exercise = NumberExercise(
        _right,
        [
            (
                1 / _right,
                "Upside down: divide the likelihood of 0.7 by that of 0.5.",
                "倒过来了：应当用 0.7 的似然除以 0.5 的似然。",
            ),
            (
                0.7 / 0.5,
                "That is the ratio for one head. Every flip contributes a factor.",
                "这只是一次正面的比值。每次抛掷都贡献一个因子。",
            ),
            (
                (0.7 / 0.5) ** 7,
                "The heads are there; the three tails count too, with 0.3 against 0.5.",
                "正面算对了；三次反面也要算，是 0.3 比 0.5。",
            ),
            (
                0.7**7 * 0.3**3,
                "That is the likelihood of 0.7 itself. Divide it by that of 0.5.",
                "这是 0.7 本身的似然。还要除以 0.5 的似然。",
            ),
            (
                0.822818,
                "That is the difference of the logarithms. Its exponential is the ratio.",
                "这是对数之差。取指数才是比值。",
            ),
            (
                0.357346,
                "That is the difference of the logarithms to base 10. Ten to this power is the ratio.",
                "这是以 10 为底的对数之差。10 的这么多次方才是比值。",
            ),
        ],
        tolerance=0.01,
    )
    answer = mo.ui.text(placeholder="0.5")
    answer
    return answer, exercise


@app.cell(hide_code=True)
def _(answer, exercise, say):
    verdict = exercise.check(answer.value)
    say.verdict(verdict)
    return (verdict,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        Here $p$ was one number for all flips. Where it depends on something, such as the hours of study, a score $z = wx + b$ is
        computed first and then turned into a probability. The lesson *The sigmoids* is about that turn.
        """,
        r"""
        这里所有抛掷共用一个 $p$。如果它取决于别的量，例如学习的小时数，就要先算出得分 $z = wx + b$，再把得分变成概率。《S 形函数》一课讲的就是这一步。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
