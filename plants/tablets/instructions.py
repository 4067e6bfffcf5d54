"""What people do at each operation, in English and Chinese. Our assumption: usual practice of direct compression."""

from collections.abc import Mapping
from typing import Final

Texts = tuple[tuple[str, str], ...]
"""(English, Chinese) for each step, in order."""

INSTRUCTIONS: Final[Mapping[str, Texts]] = {
    "DISPENSE": (
        (
            "Check that the dispensing booth carries the label 'clean' and that its cleaning has not expired. "
            "Start the down-flow and wait until the pressure display is in its range.",
            "确认称量间挂有“已清洁”状态标识且在清洁有效期内。开启层流，待压差显示在规定范围内。",
        ),
        (
            "Check the balances with the test weights of the day before first use.",
            "首次使用前，用当日校验砝码核对天平。",
        ),
        (
            "Compare material, lot number, expiry date and status label of every container with the pick list. "
            "Use released lots only.",
            "逐桶核对物料名称、批号、有效期和状态标识与拣料单一致。只使用已放行的批次。",
        ),
        (
            "Weigh the excipients first: lactose, silicified microcrystalline cellulose, starch. "
            "Weigh the active ingredient last, with the extraction switched on and respiratory protection worn.",
            "先称辅料：乳糖、硅化微晶纤维素、淀粉。最后称原料药，称量时开启除尘并佩戴呼吸防护用品。",
        ),
        (
            "Close each bag, put the weighing label on it and keep all bags of the batch together in one locked cage.",
            "每袋称量后封口并贴称量标签，同一批次的物料集中存放于上锁的周转笼内。",
        ),
        (
            "Return what is left to its container, close it, and state the quantity returned. Clean the booth.",
            "剩余物料退回原容器、封口并记录退回数量。清洁称量间。",
        ),
    ),
    "BLEND": (
        (
            "Check that the bin blender and the sieve carry the label 'clean' and that the sieve is not damaged.",
            "确认料斗混合机和筛网挂有“已清洁”状态标识，筛网完好无破损。",
        ),
        (
            "Identify every bag of the batch by its weighing label before it is opened.",
            "拆袋前逐袋核对称量标签，确认属于本批次。",
        ),
        (
            "Sieve the active ingredient together with an equal part of lactose, and load it between the excipients.",
            "原料药与等量乳糖混合过筛，夹在辅料之间加入料斗。",
        ),
        (
            "Close the bin, lock it into the blender, close the safety barrier and start the blending programme.",
            "关闭料斗并锁紧于混合机上，关闭安全护栏，启动混合程序。",
        ),
        (
            "At the end check the bin for lumps. Label the bin with product, batch number and net weight.",
            "混合结束后检查有无结块。在料斗上标明品名、批号和净重。",
        ),
    ),
    "COMPRESS": (
        (
            "Check that the press carries the label 'clean' and that punches and dies are those of this product.",
            "确认压片机挂有“已清洁”状态标识，冲模与本产品规格一致。",
        ),
        (
            "Check metal detector and deduster with the test pieces before the start and after the end of the run.",
            "开机前和结束后用测试片核查金属检测仪和除粉机。",
        ),
        (
            "Set the press up at low speed. Reject all cores until weight, thickness and hardness are within limits.",
            "低速调机。片重、厚度和硬度合格之前的片芯全部剔除。",
        ),
        (
            "During the run check weight, thickness, hardness and diameter at the set intervals and enter the values.",
            "压片过程中按规定间隔检查片重、厚度、硬度和直径，并录入结果。",
        ),
        (
            "If a value is outside its warning limits adjust the press; outside its action limits stop and tell the "
            "supervisor.",
            "超出警戒限时调整压片机；超出行动限时停机并报告主管。",
        ),
        (
            "Collect the cores in lined, labelled containers. Count good cores and waste at the end of the run.",
            "片芯收集于有内衬并贴标的容器中。结束时统计合格片芯数和废片数。",
        ),
    ),
    "COAT": (
        (
            "Check that the coater carries the label 'clean' and that the spray nozzles are free.",
            "确认包衣机挂有“已清洁”状态标识，喷枪畅通。",
        ),
        (
            "Load the cores, preheat and dedust them at low drum speed.",
            "装入片芯，低转速预热并除粉。",
        ),
        (
            "Spray the film coating. Watch for tablets that stick together; lower the spray rate if they do.",
            "喷包衣液。观察有无粘片，如有则降低喷液速度。",
        ),
        (
            "Dry and cool the tablets, then take the samples for in-process control and release testing.",
            "干燥并冷却药片，然后取中间控制和放行检验样品。",
        ),
        (
            "Record thickness, hardness, diameter and weight variation. Fill into closed, labelled containers; count.",
            "记录厚度、硬度、直径和片重差异。装入密闭并贴标的容器，清点数量。",
        ),
    ),
}
