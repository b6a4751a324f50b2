// Figures of merit of classification and retrieval, as scikit-learn defines them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace vesalius::tasks {

/// Share of equal entries.
double accuracy(const std::vector<int>& truth, const std::vector<int>& predicted);

/// F1 of every class: 2 TP / (2 TP + FP + FN), 0 where that is 0 / 0 (zero_division=0).
std::vector<double> f1_per_class(const std::vector<int>& truth, const std::vector<int>& predicted,
                                 int classes);
/// Mean over the classes that occur in truth or prediction (sklearn's f1_score(average="macro")).
double macro_f1(const std::vector<int>& truth, const std::vector<int>& predicted, int classes);

/// [truth][predicted] counts.
std::vector<std::vector<int64_t>> confusion(const std::vector<int>& truth,
                                            const std::vector<int>& predicted, int classes);

/// Area under the ROC curve: the share of (positive, negative) pairs in order, ties half
/// (Mann-Whitney). Nothing when one side is empty.
std::optional<double> roc_auc(const std::vector<bool>& positive, const std::vector<double>& score);

/// One-vs-rest AUROC of every class from [samples][classes] scores; nothing for classes that all or
/// none of the samples have.
std::vector<std::optional<double>> roc_auc_per_class(
    const std::vector<int>& truth, const std::vector<std::vector<double>>& scores);
/// Mean over the classes that have one (roc_auc_score(multi_class="ovr", average="macro")).
std::optional<double> mean_of(const std::vector<std::optional<double>>& values);

/// Share of the first k that are relevant; fewer than k count as misses.
double precision_at(const std::vector<bool>& relevant, int64_t k);

/// Average precision of a ranking: mean of precision_at(rank) over the ranks of relevant entries,
/// of `total` relevant ones in all (those not ranked count 0). Nothing when total is 0.
std::optional<double> ranking_precision(const std::vector<bool>& relevant, int64_t total);

/// average_precision_score: sum of (recall step) * precision over thresholds, ties together.
std::optional<double> average_precision(const std::vector<bool>& positive,
                                        const std::vector<double>& score);

}  // namespace vesalius::tasks
