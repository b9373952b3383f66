import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Logistic regression")


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
        # Logistic regression

        Three students prepared for an exam. Those who studied for 1 and 2 hours failed, the one with 3 hours passed. What is
        the probability to pass after 4 hours, and when is it better to say “uncertain”?

        The model makes a score of the hours and a probability of the score:

        $$z = wx + b, \qquad p = \sigma(z) = \frac{1}{1 + e^{-z}} .$$

        $p$ is the probability to pass, $y = 1$; that to fail, $y = 0$, is $1 - p$, so one number is enough. The loss
        compares these two distributions with the truth. It is the binary cross-entropy (BCE), summed over the students:

        $$L(w, b) = -\sum_{i=1}^{3} \big[y_i \log p_i + (1-y_i)\log(1-p_i)\big], \qquad
        \frac{\partial L}{\partial w} = \sum_i (p_i - y_i)\, x_i, \qquad
        \frac{\partial L}{\partial b} = \sum_i (p_i - y_i).$$

        Gradient descent makes a step per epoch, with all three students.
        """,
        r"""
        # 逻辑斯蒂回归

        三名学生准备考试。学习 1 小时和 2 小时的没有通过，学习 3 小时的通过了。学习 4 小时，通过的概率是多少？什么时候不如回答“不确定”？

        模型先把小时数变成得分，再把得分变成概率：

        $$z = wx + b, \qquad p = \sigma(z) = \frac{1}{1 + e^{-z}} .$$

        $p$ 是通过（$y = 1$）的概率；不通过（$y = 0$）的概率就是 $1 - p$，所以一个数就够了。损失函数把这两个分布与真实结果比较。它是二元交叉熵（BCE），对学生求和：

        $$L(w, b) = -\sum_{i=1}^{3} \big[y_i \log p_i + (1-y_i)\log(1-p_i)\big], \qquad
        \frac{\partial L}{\partial w} = \sum_i (p_i - y_i)\, x_i, \qquad
        \frac{\partial L}{\partial b} = \sum_i (p_i - y_i).$$

        梯度下降每个 epoch 走一步，用全部三名学生。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    rate = mo.ui.slider(
        steps=[0.001, 0.003, 0.01, 0.03, 0.1],
        value=0.01,
        label="learning rate · 学习率",
        show_value=True,
    )
    epochs = mo.ui.slider(
        steps=[10, 30, 100, 300, 1000, 3000],
        value=1000,
        label="epochs · 轮数",
        show_value=True,
    )
    start_w = mo.ui.slider(
        -3, 3, step=0.1, value=0, label="start · 起点 $w$", show_value=True
    )
    start_b = mo.ui.slider(
        -3, 3, step=0.1, value=0, label="start · 起点 $b$", show_value=True
    )
    mo.vstack(
        [
            mo.hstack([rate, epochs], justify="start", gap=2),
            mo.hstack([start_w, start_b], justify="start", gap=2),
        ]
    )
    return epochs, rate, start_b, start_w


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## From raw tensors

        No `nn`, no autograd: the gradient is the formula above.
        """,
        r"""
        ## 从最原始的张量开始

        不用 `nn`，也不用自动求导：梯度就是上面的公式。
        """,
    )
    return


@app.cell
def _(epochs, mo, rate, start_b, start_w):
    import torch

    x = torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64)
    y = torch.tensor([[0.0], [0.0], [1.0]], dtype=torch.float64)

    w, b = start_w.value, start_b.value
    for _ in range(epochs.value):
        p = 1 / (1 + torch.exp(-(w * x + b)))
        w = w - rate.value * ((p - y) * x).sum()
        b = b - rate.value * (p - y).sum()
    by_hand = torch.stack([w, b])
    mo.show_code(by_hand, position="above")
    return by_hand, torch, x, y


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## In torch

        The model can be a module of your own, with a linear part and a sigmoid, or an `nn.Sequential` of two modules. The loop
        is the same for both. `reduction="sum"` adds the losses up; older code writes `size_average=False`.
        """,
        r"""
        ## 用 torch

        模型可以是自己写的模块，由一个线性部分和一个 sigmoid 组成；也可以是两个模块串成的 `nn.Sequential`。两者的训练循环相同。`reduction="sum"` 表示把损失加起来；旧代码写作 `size_average=False`。
        """,
    )
    return


@app.cell
def _(epochs, mo, rate, start_b, start_w, torch, x, y):
    class LogisticRegressionModel(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(1, 1)

        def forward(self, x):
            return torch.sigmoid(self.linear(x))

    def train(model, linear):
        with torch.no_grad():
            linear.weight.fill_(start_w.value)
            linear.bias.fill_(start_b.value)
        criterion = torch.nn.BCELoss(reduction="sum")
        optimizer = torch.optim.SGD(model.parameters(), lr=rate.value)
        for _ in range(epochs.value):
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return torch.cat([linear.weight[0], linear.bias]).detach()

    own = LogisticRegressionModel().double()
    by_own_module = train(own, own.linear)
    mo.show_code(by_own_module, position="above")
    return by_own_module, own, train


@app.cell
def _(mo, torch, train):
    sequential = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Sigmoid()).double()
    by_sequential = train(sequential, sequential[0])
    mo.show_code(by_sequential, position="above")
    return by_sequential, sequential


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## In onelayer: sum against mean

        onelayer minimises the **mean** of the losses, and its learning rate multiplies the gradient of the mean. The sum over
        three students is three times the mean, and so is its gradient. The same step therefore needs three times the
        learning rate: 0.03 on the mean is 0.01 on the sum. That is the price of the sum: with 3000 students at the learning
        rate 0.01, a step would be a thousand times as long.

        `C=inf` is no penalty, `tol=0` asks for all the steps. `to_module()` gives the score as a torch module.
        """,
        r"""
        ## 用 onelayer：求和与求平均

        onelayer 最小化的是损失的**平均值**，学习率乘的是平均值的梯度。三名学生的和是平均值的三倍，梯度也是三倍。所以同样的一步需要三倍的学习率：平均值用 0.03，相当于求和用 0.01。这就是求和的代价：如果有 3000 名学生，学习率仍为 0.01，每一步的长度就会是原来的一千倍。

        `C=inf` 表示没有惩罚项，`tol=0` 表示走完所有的步。`to_module()` 把得分变成一个 torch 模块。
        """,
    )
    return


@app.cell
def _(epochs, mo, rate, start_b, start_w, torch, x):
    import onelayer as ol

    labels = ["fail", "fail", "pass"]
    model = ol.LogisticRegression(
        C=float("inf"),
        init=([[start_w.value]], [start_b.value]),
        solver=ol.solvers.GradientDescent(len(x) * rate.value, steps=epochs.value),
        tol=0,
    ).fit(x, labels)
    by_onelayer = torch.cat([model.coef_[0], model.intercept_])
    module = torch.nn.Sequential(model.to_module(), torch.nn.Sigmoid())
    mo.show_code(by_onelayer, position="above")
    return by_onelayer, labels, model, module, ol


@app.cell(hide_code=True)
def _(
    by_hand,
    by_onelayer,
    by_own_module,
    by_sequential,
    model,
    module,
    own,
    say,
    sequential,
    torch,
):
    four = torch.tensor([[4.0]], dtype=torch.float64)
    after_four = {
        "by hand": torch.sigmoid(by_hand[0] * 4 + by_hand[1]).item(),
        "own": own(four).item(),
        "sequential": sequential(four).item(),
        "onelayer": model.predict_proba(four)[0, 1].item(),
        "module": module(four).item(),
    }
    _rows = [
        (("by hand", "手写"), by_hand, "by hand"),
        (("own nn.Module", "自己的 nn.Module"), by_own_module, "own"),
        (("nn.Sequential", "nn.Sequential"), by_sequential, "sequential"),
        (("onelayer", "onelayer"), by_onelayer, "onelayer"),
        (
            ("its to_module() and sigmoid", "其 to_module() 加 sigmoid"),
            torch.cat([module[0].weight[0], module[0].bias]).detach(),
            "module",
        ),
    ]
    say.table(
        [
            ("", ""),
            ("w", "w"),
            ("b", "b"),
            ("p = 0.5 after hours", "p = 0.5 的小时数"),
            ("p after 4 hours", "4 小时后的 p"),
        ],
        [[name, *ends, -ends[1] / ends[0], after_four[key]] for name, ends, key in _rows],
    )
    return (after_four,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The curve, and when to say “uncertain”

        With the learning rate 0.01 and 1000 epochs the curve crosses the line at 0.5 between 2 and 3 hours: there the answer
        changes from “fail” to “pass”. Near the line an answer is hardly better than a coin. So leave a band in which the model gives none: with
        `predict(X, abstain=(0.4, 0.6))` the answer is `None` where $0.4 < p < 0.6$. Move the band.
        """,
        r"""
        ## 曲线，以及何时回答“不确定”

        学习率为 0.01、训练 1000 轮时，曲线在 2 到 3 小时之间穿过 0.5 那条线：答案在那里由“不通过”变成“通过”。在这条线附近，回答比抛硬币好不了多少。所以留出一段不作回答的区间：用 `predict(X, abstain=(0.4, 0.6))`，当 $0.4 < p < 0.6$ 时答案是 `None`。请移动这个区间。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    band = mo.ui.range_slider(
        0, 1, step=0.05, value=[0.4, 0.6], label="uncertain · 不确定", show_value=True
    )
    asked = mo.ui.text(value="4", label="your hours · 你的小时数")
    mo.hstack([band, asked], justify="start", gap=2)
    return asked, band


@app.cell
def _(band, labels, mo, model, ol, x):
    decision = ol.plots.DecisionDisplay.from_estimator(
        model,
        x,
        labels,
        abstain=tuple(band.value),
        limits=(0, 10),
        feature_names=["Hours of study"],
    ).plot()
    mo.show_code(decision.figure_, position="above")
    return (decision,)


@app.cell(hide_code=True)
def _():
    from onelayer.lessons import read_number, read_points

    return read_number, read_points


@app.cell(hide_code=True)
def _(asked, mo, read_number, say):
    _number, _problem = read_number(asked.value, 0, 24)
    mo.stop(_problem is not None, _problem and say.problem(*_problem))
    your_hours = _number
    return (your_hours,)


@app.cell
def _(band, mo, model, torch, your_hours):
    hours = torch.tensor([[1], [2], [2.5], [3], [your_hours]], dtype=torch.float64)
    probabilities = model.predict_proba(hours)
    answers = model.predict(hours, abstain=tuple(band.value))
    mo.show_code(answers, position="above")
    return answers, hours, probabilities


@app.cell(hide_code=True)
def _(answers, hours, probabilities, say):
    words = {
        "fail": ("fail", "不通过"),
        "pass": ("pass", "通过"),
        None: ("uncertain", "不确定"),
    }
    say.table(
        [
            ("hours", "小时数"),
            ("p, to pass", "p，通过"),
            ("1 − p, to fail", "1 − p，不通过"),
            ("answer", "回答"),
        ],
        [
            [f"{time:g}", passing, failing, words[answer]]
            for (time,), (failing, passing), answer in zip(
                hours.tolist(), probabilities.tolist(), answers, strict=True
            )
        ],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Is this the answer? More epochs

        Choose 3000 epochs above: $w$ has grown again. It grows for ever. A threshold of hours separates these students without
        an error, and then a steeper curve is always a better one; the lowest loss, 0, lies at infinity. The table shows
        longer and longer runs. Here the solver chooses its steps.
        """,
        r"""
        ## 这就是答案吗？再多走几轮

        请在上面选 3000 轮：$w$ 又变大了，而且会永远变大。有一个小时数能把这些学生毫无差错地分开，这时曲线越陡越好；最低的损失是 0，在无穷远处。下表是越来越长的训练，步长由求解器选择。
        """,
    )
    return


@app.cell
def _(labels, mo, ol, x):
    longer = {
        steps: ol.LogisticRegression(
            C=float("inf"), solver=ol.solvers.GradientDescent(steps=steps), tol=0
        ).fit(x, labels)
        for steps in (10, 30, 100, 300)
    }
    steepness = {steps: fit.coef_[0, 0].item() for steps, fit in longer.items()}
    mo.show_code(steepness, position="above")
    return longer, steepness


@app.cell(hide_code=True)
def _(longer, say):
    say.table(
        [
            ("steps", "步数"),
            ("w", "w"),
            ("b", "b"),
            ("p = 0.5 after hours", "p = 0.5 的小时数"),
            ("mean loss", "平均损失"),
        ],
        [
            [
                str(steps),
                fit.coef_[0, 0],
                fit.intercept_[0],
                -fit.intercept_[0] / fit.coef_[0, 0],
                fit.result_.objective,
            ]
            for steps, fit in longer.items()
        ],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        The exact solver, which onelayer takes where none is named, finds this out and says so. With a penalty on $w$, here
        $C = 1$, there is one optimum, and the fit comes with a proof of how near it is: the relative gap.
        """,
        r"""
        不指定求解器时，onelayer 用精确的求解器，它会发现并说明这一点。对 $w$ 加上惩罚项（这里 $C = 1$），就有唯一的最优解，而且拟合结果附有证明，说明离它有多近：相对间隙。
        """,
    )
    return


@app.cell
def _(labels, mo, ol, x):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the same sentence is in the result
        unpenalised = ol.LogisticRegression(C=float("inf")).fit(x, labels)
    penalised = ol.LogisticRegression(C=1.0).fit(x, labels)
    mo.show_code(penalised.certificate_.relative_gap, position="above")
    return penalised, unpenalised, warnings


@app.cell(hide_code=True)
def _(mo, penalised, unpenalised):
    mo.vstack(
        [
            mo.callout(
                mo.md(
                    f"$C$ = ∞, {unpenalised.result_.status}: {unpenalised.result_.message}"
                ),
                kind="warn",
            ),
            mo.callout(
                mo.md(f"$C$ = 1, {penalised.result_.status}: {penalised.result_.message}"),
                kind="success",
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Move the students

        Six students, one of whom failed after 4 hours. Drag them: left and right changes the hours, up and down the result.
        The model is fitted again at once. A small $C$ is a strong penalty and a flat curve. Try $C = \infty$ with students that
        a line separates, and try to let all of them fail.
        """,
        r"""
        ## 移动学生

        六名学生，其中一名学了 4 小时却没有通过。请拖动他们：左右改变小时数，上下改变结果。模型会立刻重新拟合。$C$ 小，惩罚就强，曲线就平。试试在学生能被分开时取 $C = \infty$，再试试让所有人都不通过。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    strength = mo.ui.radio(
        {"0.1": 0.1, "1": 1.0, "10": 10.0, "1000": 1000.0, "∞": float("inf")},
        value="1",
        label="$C$",
        inline=True,
    )
    strength
    return (strength,)


@app.cell
def _(mo):
    from onelayer.lessons.points import DraggablePoints

    students = [[1, 0], [2, 0], [3, 1], [4, 0], [5, 1], [7, 1]]
    mo.show_code(len(students), position="above")
    return DraggablePoints, students


@app.cell
def _(DraggablePoints, mo, students):
    dots = mo.ui.anywidget(
        DraggablePoints(students, x_range=[0, 10], y_range=[-0.1, 1.1], y_snap=[0, 1])
    )
    mo.show_code(dots, position="above")
    return (dots,)


@app.cell(hide_code=True)
def _(dots, say):
    dots.hint = say.text(
        "Drag a point, or press Tab to reach it and use the arrow keys (Shift: larger steps).",
        "拖动一个点；也可以按 Tab 键选中它，再用方向键移动（按住 Shift 步子更大）。",
    )
    dots.edge = say.text("The point stays at the edge of the plot.", "点停在图的边缘。")
    dots.label = say.text("student", "学生")
    dots.x_name = say.text("Hours of study", "学习小时数")
    dots.y_name = say.text("Probability to pass", "通过的概率")
    return


@app.cell(hide_code=True)
def _(dots, mo, read_points, say):
    _points, _problem = read_points(
        dots.value["points"], {"hours": (0, 10), "passed": (0, 1)}, least=2
    )
    if _problem:
        dots.curve = []
    mo.stop(_problem is not None, _problem and say.problem(*_problem))
    studied = _points[:, :1]
    results = ["pass" if passed > 0.5 else "fail" for passed in _points[:, 1]]
    return results, studied


@app.cell
def _(mo, ol, results, strength, studied, warnings):
    trial, complaint = ol.LogisticRegression(C=strength.value), None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial.fit(studied, results)
    except ol.errors.DataError as error:
        complaint = str(error)
    mo.show_code(complaint, position="above")
    return complaint, trial


@app.cell(hide_code=True)
def _(complaint, dots, mo, say, trial):
    if complaint:
        dots.curve = []
    mo.stop(
        complaint is not None,
        complaint
        and say.problem(
            f"{complaint} Drag a student up or down.",
            f"所有学生的结果都相同，只有一个类别，分类器至少需要两个：请把一名学生向上或向下拖。（onelayer 的原话：{complaint}）",
        ),
    )
    moved = trial  # the cells below wait for this one
    mo.callout(
        mo.md(f"{moved.result_.status}: {moved.result_.message}"),
        kind="success" if moved.result_.status.is_success else "warn",
    )
    return (moved,)


@app.cell
def _(band, dots, mo, moved, torch):
    along = torch.linspace(0, 10, 101).unsqueeze(1)
    dots.curve = torch.cat([along, moved.predict_proba(along)[:, 1:]], dim=1).tolist()
    dots.band = band.value if band.value[0] < band.value[1] else []
    steep, shift = moved.coef_[0, 0].item(), moved.intercept_[0].item()
    mo.show_code((steep, shift), position="above")
    return shift, steep


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## What check_head says

        Most mistakes with a last layer and its loss leave no error, only a model that learns badly, or an error that does not
        name the cause. `ol.check_head` looks at one batch and says what is wrong. Here are three mistakes; the right pair gives
        an empty list.
        """,
        r"""
        ## check_head 怎么说

        最后一层和损失函数搭配错了，多半不会报错，只是学得不好；即使报错，也往往没有指出原因。`ol.check_head` 看一个批次的数据，说出哪里不对。下面是三个错误；正确的搭配得到空列表。
        """,
    )
    return


@app.cell
def _(mo, ol, own, torch, x, y):
    nn = torch.nn
    findings = {
        "right": ol.check_head(own, nn.BCELoss(), x, y),
        "sigmoid twice": ol.check_head(own, nn.BCEWithLogitsLoss(), x, y),
        "no sigmoid": ol.check_head(own.linear, nn.BCELoss(), x, y),
        "shape of y": ol.check_head(own, nn.BCELoss(), x, y.squeeze(1)),
    }
    mo.show_code({name: len(said) for name, said in findings.items()}, position="above")
    return (findings,)


@app.cell(hide_code=True)
def _(findings, say):
    say.table(
        [("", ""), ("what check_head says", "check_head 的话")],
        [[name, " ".join(said) or "–"] for name, said in findings.items()],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Exercise

        A model has $w = 1.2$ and $b = -3$. After how many hours is the probability to pass 0.8? Three digits are enough;
        $\log 4 = 1.386$.
        """,
        r"""
        ## 练习

        某个模型的 $w = 1.2$，$b = -3$。学习多少小时后，通过的概率是 0.8？取三位有效数字即可；$\log 4 = 1.386$。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    import math

    from onelayer.lessons import NumberExercise

    exercise = NumberExercise(
        (math.log(4) + 3) / 1.2,
        [
            (
                2.5,
                "There p is 0.5: the score is 0. For 0.8 the score is log(0.8 / 0.2).",
                "那里的 p 是 0.5：得分为 0。要得到 0.8，得分应是 log(0.8 / 0.2)。",
            ),
            (
                (0.8 + 3) / 1.2,
                "You took 0.8 as the score. It is the probability: the score is log(p / (1 − p)).",
                "你把 0.8 当成了得分。它是概率：得分是 log(p / (1 − p))。",
            ),
            (
                math.log(4) / 1.2,
                "You left out b: wx + b is the score.",
                "你漏了 b：得分是 wx + b。",
            ),
            (
                (math.log(4) - 3) / 1.2,
                "The sign of b: wx = z − b, and −b is +3.",
                "b 的符号：wx = z − b，而 −b 是 +3。",
            ),
            (
                (math.log(0.8) + 3) / 1.2,
                "The score is log(p / (1 − p)), not log p.",
                "得分是 log(p / (1 − p))，不是 log p。",
            ),
            (
                (math.log10(4) + 3) / 1.2,
                "That is the logarithm to base 10: σ has the base e, log 4 = 1.386.",
                "这是以 10 为底的对数：σ 用的底是 e，log 4 = 1.386。",
            ),
        ],
    )
    answer = mo.ui.text(placeholder="1.23")
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
        The loss of this page is cross-entropy. Why not the squared error of the probability? The lesson *Why cross-entropy*
        starts both from the same bad place.
        """,
        r"""
        本页的损失函数是交叉熵。为什么不用概率的平方误差？《为什么用交叉熵》一课让两者从同一个糟糕的起点出发。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
